"""A run in a few lines of Markdown: what MLflow shows at the top of its page."""

from omniretail.metrics.names import label
from omniretail.report.compare import Comparison


def run_description(comparison: Comparison, page: str, task: str) -> str:
    """The primary metric first, then the data, the protocol, the table and where the page is.

    Args:
        comparison: of one run.
        page: file name of its page among the run's files.
        task: name of the task.
    """
    result, card = comparison.results[0], comparison.card
    key = comparison.report.primary
    value = result.values().get(key, float("nan"))
    protocol = " · ".join(f"{name}: {text}" for name, text in result.protocol.items() if name != "data")
    return "\n\n".join(
        [
            f"**{label(key)} {value:.4f}** · {result.model}, {result.stage}, {len(result.per_unit):,} judged",
            f"{task} on {card.title}, data version {result.protocol.get('data', 'unknown')}",
            comparison.markdown(),
            f"Protocol: {protocol}",
            f"Page: report/{page} under Artifacts",
        ]
    )
