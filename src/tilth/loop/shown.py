"""How the loop's values show themselves in notebooks: registered here, rendered by `reporting` when they are shown."""

from __future__ import annotations

from tilth.core.comparison import Comparison
from tilth.core.display import register
from tilth.core.gate_summary import GateSummary
from tilth.core.label_summary import LabelSummary
from tilth.core.learning_curve import LearningCurve
from tilth.core.migration_plan import MigrationPlan, TaxonomyState
from tilth.core.multi_summary import MultiLabelSummary
from tilth.core.people_report import PeopleReport
from tilth.core.project_labels import ProjectLabels
from tilth.core.rows_plan import RowsPlan
from tilth.core.slice_summary import SliceSummary
from tilth.core.stress_summary import StressSummary
from tilth.core.summary import RunSummary
from tilth.core.transform_card import TransformReport
from tilth.loop.history import Blame, VersionDiff
from tilth.loop.project import Project

__all__ = ["register_all"]


def register_all() -> None:
    """Let a project, a run, a diff, a blame, a learning curve, labels, people and gates show themselves."""
    register(Project, _project)
    register(RunSummary, _summary)
    register(VersionDiff, _diff)
    register(Blame, _blame)
    register(LearningCurve, _curve)
    register(LabelSummary, _labels)
    register(MultiLabelSummary, _multi_labels)
    register(ProjectLabels, _project_labels)
    register(MigrationPlan, _plan)
    register(TaxonomyState, _taxonomy)
    register(PeopleReport, _people)
    register(GateSummary, _gate)
    register(Comparison, _comparison)
    register(RowsPlan, _rows)
    register(StressSummary, _stress)
    register(TransformReport, _transforms)
    register(SliceSummary, _slices)


def _project(project: Project) -> str:
    from tilth.reporting.notebook import facts_html

    task = project.file.schema.task
    facts = {
        "folder": str(project.folder),
        "source": str(project.file.source),
        "label": f"{task.label} ({task.type}, {task.metric})",
        "columns": len(project.file.schema.columns),
        "version": project.dataset().version_id if project.has_run else "not run yet",
    }
    return facts_html("tilth project", facts)


def _summary(summary: RunSummary) -> str:
    from tilth.reporting.notebook import summary_html

    return summary_html(summary)


def _diff(diff: VersionDiff) -> str:
    from tilth.reporting.notebook import diff_html

    return diff_html(diff.to_dict())


def _blame(blame: Blame) -> str:
    from tilth.reporting.notebook import blame_html

    return blame_html(blame.to_dict())


def _curve(curve: LearningCurve) -> str:
    from tilth.reporting.curve import curve_facts
    from tilth.reporting.notebook import facts_html

    return facts_html(f"learning curve of {curve.version}", curve_facts(curve))


def _stress(summary: StressSummary) -> str:
    from tilth.reporting.notebook import facts_html
    from tilth.reporting.stress import stress_facts

    return facts_html(f"stress tests of {summary.version}", stress_facts(summary))


def _transforms(report: TransformReport) -> str:
    from tilth.reporting.transforms import transforms_html

    return transforms_html(report)


def _labels(summary: LabelSummary) -> str:
    from tilth.reporting.labels import labels_html

    return labels_html(summary)


def _multi_labels(summary: MultiLabelSummary) -> str:
    from tilth.reporting.multi_labels import multi_labels_html

    return multi_labels_html(summary)


def _project_labels(found: ProjectLabels) -> str:
    from tilth.reporting.project_labels import project_labels_html

    return project_labels_html(found)


def _plan(plan: MigrationPlan) -> str:
    from tilth.reporting.taxonomy import plan_html

    return plan_html(plan)


def _taxonomy(state: TaxonomyState) -> str:
    from tilth.reporting.taxonomy import state_html

    return state_html(state)


def _people(report: PeopleReport) -> str:
    from tilth.reporting.people import people_html

    return people_html(report)


def _gate(gate: GateSummary) -> str:
    from tilth.reporting.gate import gate_facts
    from tilth.reporting.notebook import facts_html

    return facts_html(f"gate of {gate.version}", gate_facts(gate))


def _comparison(comparison: Comparison) -> str:
    from tilth.reporting.comparison import HEADS, comparison_rows, said_of_regressions
    from tilth.reporting.notebook import table_html

    return table_html(comparison_rows(comparison), HEADS, caption=said_of_regressions(comparison), right=("rows",))


def _rows(plan: RowsPlan) -> str:
    from tilth.reporting.gate import PLAN_HEADS, plan_rows
    from tilth.reporting.notebook import table_html

    return table_html(plan_rows(plan), PLAN_HEADS, right=("test rows", "labels"))


def _slices(found: SliceSummary) -> str:
    from tilth.reporting.slices import slices_html

    return slices_html(found)
