import time

from tests.workflows.shortcut import *


async def test_time(walk, protocol):
    for i in range(3):
        t = time.time()
        p = await at_treating(walk(shortened(protocol)))
        marks = []
        def mark(n):
            nonlocal t
            marks.append((n, round(time.time()-t, 3))); t = time.time()
        mark("treating")
        o = await p.to_chair(); mark("chair")
        g = await p.give(o); mark("give")
        await p.in_the_chair(g.at, o.order.dose_mg); mark("in chair")
        await p.discharge(); mark("discharge")
        await p.leave(Move.END)
        await p.outcome(); mark("ended")
        await p.assert_sound()
        mark("sound")
        print(marks)
        # for e in await p.record(): print(e.seq, e.occurred_at, e.fact.kind)
