"""Tables of tests and intervals."""

from bayeslmm.estimands.headed import HeadedTable


class InferenceTable(HeadedTable):
    """What a fit's verbs answer with: a DataFrame under a heading that says how its numbers were made."""


headed = InferenceTable.of
