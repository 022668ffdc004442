"""What `tilth init` says of the project that it has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.core.errors import first_three
from tilth.core.schema import Role

if TYPE_CHECKING:
    from tilth.loop.project import Project

__all__ = ["said_of"]


def said_of(project: Project) -> str:
    """Return what was inferred, in a few lines, and what to type next."""
    from tilth.loop.project import FILE

    schema = project.file.schema
    task = schema.task
    ignored = [column.name for column in schema.with_role(Role.IGNORE)]
    roles = [f"{column.name} is the {column.role}" for column in schema.columns if column.role in _TOLD]
    lines = [
        f"wrote {project.folder / FILE}",
        f"  learns   {task.label}: {task.type}, judged by {task.metric}"
        + (f"; classes {first_three(task.classes)}" if task.classes else ""),
        f"  from     {first_three(f'{column.name} ({column.type})' for column in schema.features)}",
    ]
    lines += [f"  roles    {', '.join(roles)}"] if roles else []
    lines += [f"  ignores  {first_three(ignored)}; the file says why"] if ignored else []
    here = "" if str(project.folder) == "." else f" --dir {project.folder}"
    return "\n".join([*lines, f"look it over, then: tilth run{here}"])


_TOLD = (Role.ID, Role.SPLIT, Role.GROUP, Role.TIME, Role.PRED_PROBS)
