"""May somebody say that they did what lies ahead? No command is dated in the future, whichever it is.

Clocks differ: a device that is a little ahead must not keep a concern about a person from being heard. What is dated
within `CLOCKS_DIFFER` of now happened now (`Part.when`).

One look before every workflow's own validator. A year that was typed wrong must not put off the contacts after a
crisis, silence a page or make a record end in another century. The clock is the workflow's own clinical now.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

with workflow.unsafe.imports_passed_through():
    from workflows.messages import Command
from workflows.part import Part
from workflows.refusals import refusal

CLOCKS_DIFFER = timedelta(minutes=2)


class _AtTheDoor(WorkflowInboundInterceptor):
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        part = workflow.instance()
        now = part.today() if isinstance(part, Part) else workflow.now()
        for command in input.args:
            if (
                isinstance(command, Command)
                and command.occurred_at
                and command.occurred_at > now + CLOCKS_DIFFER
            ):
                fault = {"pointer": "/occurred_at", "detail": "lies in the future", "code": "future"}
                raise refusal("invalid-time", "nothing has happened yet that lies ahead", errors=[fault])
        super().handle_update_validator(input)


class NothingAhead(Interceptor):
    """For every worker that runs workflows."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[_AtTheDoor]:
        return _AtTheDoor
