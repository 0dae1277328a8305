"""Calls by address: what compiled code asks Python for on first use, once per process, and keeps.

numba copies the machine code of a compiled function, with all that it calls, into each compiled function that
calls it, and optimizes and translates it again there. A call by address leaves it where it is: a chain of
callers is compiled in the time of its members, and of what a function may call only what it does call. The
address is a variable of the caller's machine code, unknown at first. Nothing that travels to another process
or is cached on disk holds one, so none can be stale.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

from llvmlite import ir
from numba import typeof
from numba.core import cgutils, types
from numba.core import typing as numba_typing
from numba.core.imputils import fix_returning_optional, impl_ret_new_ref
from numba.core.registry import CPUDispatcher

from bayeslmm.kernel.interpreted import SHARE, Interpreted
from bayeslmm.kernel.shared_cache import SharedCache

INTEGER = ir.IntType(64)
UNKNOWN = ir.Constant(INTEGER, -1)
TYPING: Any = numba_typing
# by annotation, as numba infers
RESULTS = {None: types.none, float: types.float64, int: types.int64, bool: types.boolean}


def address(context: Any, builder: Any, name: str, ask: Callable[[], int]) -> Any:
    """The answer of `ask`, pickled into the machine code, at run time; after the first time, one load.

    Where `ask` raises, so does the function that is being written, and the next use asks again.
    """
    asking = _asking(context, builder.module, f"ask.{name}", ask)
    kept = builder.module.globals[f"kept.{asking.name}"]
    known = cgutils.alloca_once_value(builder, builder.load_atomic(kept, "acquire", 8))
    with builder.if_then(builder.icmp_signed("==", builder.load(known), UNKNOWN), likely=False):
        builder.store(builder.call(asking, ()), known)
        with builder.if_then(builder.icmp_signed("==", builder.load(known), UNKNOWN), likely=False):
            context.call_conv.return_exc(builder)
    return builder.load(known)


def _asking(context: Any, module: Any, name: str, ask: Callable[[], int]) -> Any:
    """A function of the machine code that asks Python, under its lock, and keeps the answer."""
    if name in module.globals:
        return module.globals[name]
    kept = cgutils.add_global_variable(module, INTEGER, f"kept.{name}")
    kept.linkage, kept.align, kept.initializer = "private", 8, UNKNOWN
    function = ir.Function(module, ir.FunctionType(INTEGER, ()), name)
    function.linkage = "private"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    python = context.get_python_api(builder)
    answer = cgutils.alloca_once_value(builder, UNKNOWN)
    lock = python.gil_ensure()
    asked = python.unserialize(python.serialize_object(ask))
    with builder.if_then(cgutils.is_not_null(builder, asked)):
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
    """Asks for the machine code of a `CalledByAddress`; it is loaded or compiled then if need be.

    Attributes
    ----------
    module, name : of the function. signature : numba's, of a call.
    """

    module: str
    name: str
    signature: Any

    def __call__(self) -> int:
        import_module(self.module)
        found = CalledByAddress.known[self.module, self.name].compiled_for(self.signature)
        return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


class Copied(CPUDispatcher):
    """A compiled function that is made again inside its compiled callers, which may unfold it."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What a call returns, for inference: by the types of its arguments, never by literal values."""
        given = {name: types.unliteral(value) for name, value in kws.items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), given)

    def _compile_for_args(self, *_: Any) -> Any:
        """What Python calls: the function as it is written."""
        return self.py_func


class CalledByAddress(Copied):
    """A compiled function that other compiled functions call where it stands.

    Where its annotation says what it returns (`RESULTS`), it is compiled when it is first called, not with
    its callers. Python interprets it while that is quicker.
    """

    known: ClassVar[dict[tuple[str, str], "CalledByAddress"]] = {}

    def __init__(self, py_func: Callable[..., Any], share: int = SHARE, **options: Any) -> None:
        super().__init__(py_func, **options)
        self.interpreted = Interpreted(py_func, share)
        self.known[py_func.__module__, py_func.__qualname__] = self
        self.targetctx.insert_func_defn([(self._call, self, (types.VarArg(types.Any),))])

    def enable_caching(self) -> None:
        """Keep compiled code on disk, and share it."""
        self._cache = cast(Any, SharedCache)(self.py_func)

    def _compile_for_args(self, *arguments: Any) -> Any:
        """What Python calls where nothing is in memory for these arguments."""
        if self.interpreted.affords(arguments, lambda: self._is_on_disk(arguments)):
            return self.interpreted
        return cast(Any, super(Copied, self))._compile_for_args(*arguments)

    def _is_on_disk(self, arguments: tuple[Any, ...]) -> bool:
        kinds = tuple(map(typeof, arguments))
        return isinstance(self._cache, SharedCache) and self._cache.holds(kinds, self.targetctx)

    def compile(self, sig: Any) -> Any:
        """Load or compile the function for a signature, when no other process does."""
        turn = self._cache.turn() if isinstance(self._cache, SharedCache) else nullcontext()
        with turn:
            return super().compile(sig)

    def compiled_for(self, signature: Any) -> Any:
        """What compiling for a call gave."""
        self.compile(signature.args)
        found: Any = self.overloads[signature.args]
        if found.signature.return_type != signature.return_type:
            raise TypeError(f"{self.py_func}: its annotation denies {found.signature.return_type}")
        return found

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What a call returns, for inference."""
        result = RESULTS.get(self.py_func.__annotations__.get("return", Any))
        if result is None:
            return super().get_call_template(args, kws)
        python_signature, given = cast(Any, self)._compiler.fold_argument_types(args, kws)
        signature = TYPING.signature(result, *map(types.unliteral, given))
        name = self.py_func.__name__
        return TYPING.make_concrete_template(name, name, [signature]), python_signature, signature.args, {}

    def get_overload(self, sig: Any) -> Any:
        """What numba finds the writer of a call by: this, and not the function to copy."""
        return self

    def _call(self, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        """Write a call."""
        result, given = signature.return_type, signature.args
        module, name = self.py_func.__module__, self.py_func.__qualname__
        ask = AddressOfFunction(module, name, TYPING.signature(result, *given))
        found = address(context, builder, f"{module}.{name}{given}", ask)
        callee = builder.inttoptr(found, context.call_conv.get_function_type(result, given).as_pointer())
        status, value = context.call_conv.call_function(builder, callee, result, given, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        value = fix_returning_optional(context, builder, signature, status, value)
        return impl_ret_new_ref(context, builder, result, value)
