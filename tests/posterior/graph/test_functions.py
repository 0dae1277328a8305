"""Graphs as functions: what they compute, and that they remember nothing of how they were made."""

import pytensor.tensor as pt
from pytensor.graph.traversal import ancestors

from bayeslmm.posterior.graph.functions import function_of


def nested(depth: int):
    x, y = pt.vector("x"), pt.scalar("y")
    out = x
    for _ in range(depth):
        out = pt.switch(pt.eq(y, 0), out, out + y)[None][0]
    return x, y, out


def test_inputs_have_names_and_may_play_no_part():
    x, y, out = nested(2)
    idle = pt.scalar("idle")
    assert function_of([x, y, idle], [out])(x=[1.0, 2.0], y=3.0, idle=0.0)[0].tolist() == [7.0, 8.0]


def test_traces_stay_with_the_variables_and_leave_the_function():
    x, y, out = nested(3)
    before = [variable.tag.trace for variable in ancestors([out]) if hasattr(variable.tag, "trace")]
    assert any(before)
    found = function_of([x, y], [out])
    assert [v.tag.trace for v in ancestors([out]) if hasattr(v.tag, "trace")] == before
    inside = [variable for node in found.maker.fgraph.apply_nodes for variable in node.outputs]
    assert sum(len(getattr(variable.tag, "trace", [])) for variable in inside) == 0
