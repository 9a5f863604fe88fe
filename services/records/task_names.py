"""What is a task called in addresses? An opaque id that belongs to its site, its course and its name there."""

from services.identifiers import id_from


def task_row_id(site: str, journey_id: str | None, task_id: str) -> str:
    return id_from("task", site, journey_id or "", task_id)


def case_task_id(container_id: str, number: int, duty: str) -> str:
    """The name of what is owed in the case of a difference in the drug books."""
    return f"drug-case/{container_id}/{number}/{duty}"
