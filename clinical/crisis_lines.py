"""Whom can a person in crisis reach at once, and what do we tell them with every form?

Source: clinical facts §6.4 (988 call or text, live since 2022, W; 741741, C*; 911), §6.2 (automated forms say
that nobody watches them, and show 988 at once, D). United States.
"""

CRISIS_LINE = "988"
TEXT_LINE = "741741"
EMERGENCY_NUMBER = "911"

HELP_NOW = {
    "help": (
        f"If you are in crisis or do not feel safe: call or text {CRISIS_LINE} at any hour, or text "
        f"{TEXT_LINE}. In an emergency call {EMERGENCY_NUMBER}. Forms are not monitored in real time."
    ),
    "help.es": (
        f"Si está en crisis o no se siente a salvo: llame o escriba al {CRISIS_LINE} a cualquier hora, o "
        f"escriba al {TEXT_LINE}. En una emergencia llame al {EMERGENCY_NUMBER}. Nadie vigila los "
        "formularios en tiempo real."
    ),
}
"""The answer to a form that says that somebody may be at risk, in each language that we have."""
