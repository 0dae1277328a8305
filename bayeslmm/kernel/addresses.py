"""Calls by address: what compiled code asks Python for on first use, once per process, and keeps.

numba copies the machine code of a compiled function, with all that it calls, into each compiled function that
calls it, optimized and translated again there. A call by address leaves it where it is, so a chain of
callers is compiled in the time of its members. The address is a variable of the caller's machine code, unknown
at first. Nothing that travels to another process or is cached on disk holds an address, so none can be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import fix_returning_optional, impl_ret_new_ref
from numba.core.registry import CPUDispatcher

INTEGER = ir.IntType(64)
UNKNOWN = ir.Constant(INTEGER, -1)


def known_address(context: Any, builder: Any, name: str, ask: Callable[[], int]) -> Any:
    """The answer of `ask` (pickled into the machine code) at run time; after the first time, one load.

    Returns
    -------
    The integer, `UNKNOWN` where `ask` raised: then the exception is Python's current one, and the next use
    asks again.
    """
    look_up = _look_up(context, builder.module, name, ask)
    kept = builder.module.globals[f"address.{name}"]
    answer = cgutils.alloca_once_value(builder, builder.load_atomic(kept, "acquire", 8))
    with builder.if_then(builder.icmp_signed("==", builder.load(answer), UNKNOWN), likely=False):
        builder.store(builder.call(look_up, ()), answer)
    return builder.load(answer)


def _look_up(context: Any, module: Any, name: str, ask: Callable[[], int]) -> Any:
    """A function of the machine code that asks Python, under its lock, and keeps the answer."""
    if f"ask.{name}" in module.globals:
        return module.globals[f"ask.{name}"]
    kept = cgutils.add_global_variable(module, INTEGER, f"address.{name}")
    kept.linkage, kept.align, kept.initializer = "private", 8, UNKNOWN
    function = ir.Function(module, ir.FunctionType(INTEGER, ()), f"ask.{name}")
    function.linkage = "private"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    python = context.get_python_api(builder)
    answer = cgutils.alloca_once_value(builder, UNKNOWN)
    lock = python.gil_ensure()
    asked = python.unserialize(python.serialize_object(ask))
    found = python.call_function_objargs(asked, ())
    with builder.if_then(cgutils.is_not_null(builder, found)):
        builder.store(python.long_as_longlong(found), answer)
    python.decref(found)
    python.decref(asked)
    python.gil_release(lock)
    builder.store_atomic(builder.load(answer), kept, "release", 8)
    builder.ret(builder.load(answer))
    return function


@dataclass(frozen=True, slots=True)
class AddressOfFunction:
    """Asks for the machine code of a function `called by address`, compiled or loaded then if need be."""

    module: str
    name: str
    arguments: tuple[Any, ...]

    def __call__(self) -> int:
        import_module(self.module)
        dispatcher = CalledByAddress.known[self.module, self.name]
        dispatcher.compile(self.arguments)
        found = dispatcher.overloads[self.arguments]
        return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


class CalledByAddress(CPUDispatcher):
    """A compiled function that other compiled functions call where it stands."""

    known: ClassVar[dict[tuple[str, str], "CalledByAddress"]] = {}

    def __init__(self, py_func: Callable[..., Any], **options: Any) -> None:
        super().__init__(py_func, **options)
        self.known[py_func.__module__, py_func.__qualname__] = self
        self.targetctx.insert_func_defn([(self._call, self, (types.VarArg(types.Any),))])

    def get_overload(self, sig: Any) -> Any:
        """What numba finds the code of a call by: this, where it would be the function to copy."""
        return self

    def _call(self, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        """Write a call; as `numba.core.imputils.user_function`, whose callee is the one in the same module."""
        result, given = signature.return_type, signature.args
        function = self.py_func
        ask = AddressOfFunction(function.__module__, function.__qualname__, given)
        address = known_address(context, builder, f"{function.__module__}.{function.__qualname__}{given}", ask)
        with builder.if_then(builder.icmp_signed("==", address, UNKNOWN), likely=False):
            context.call_conv.return_exc(builder)
        callee = builder.inttoptr(address, context.call_conv.get_function_type(result, given).as_pointer())
        status, value = context.call_conv.call_function(builder, callee, result, given, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        value = fix_returning_optional(context, builder, signature, status, value)
        return impl_ret_new_ref(context, builder, result, value)
