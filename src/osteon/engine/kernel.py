"""Compiles a model's generated kernel, and keeps it: the source in a cache folder, the machine code beside it.

The name of a kernel is a hash of its source, so that a changed model never meets old code. `OSTEON_CACHE` names
another folder than the platform's cache folder.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from osteon import files
from osteon.engine.codegen import Source, generate
from osteon.engine.layout import Use
from osteon.engine.plan import Plan
from osteon.models import Model

log = logging.getLogger("osteon")


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel: its functions, its layout, its number type, and whether it was in the cache."""

    module: ModuleType
    source: Source
    dtype: np.dtype[Any]
    cached: bool
    model: Model
    use: Use

    def __reduce__(self) -> tuple[Any, ...]:
        """A kernel goes to other processes as what it was made for, and is loaded there."""
        return load, (self.model, self.use, str(self.dtype))

    def shared_array(self, p: Any, weights: Sequence[float] | np.ndarray) -> np.ndarray:
        """The array of shared parameters, invariants and error weights."""
        layout = self.source.layout
        s = np.zeros(layout.place("end") + 1, self.dtype)
        s[: len(layout.shared)] = [getattr(p, name) for name in layout.shared]
        s[layout.place("w") : layout.place("w") + layout.states] = weights
        self.module.shared(s)
        return s

    def channels(self, plan: Plan) -> np.ndarray:
        """Each agent's channel as the kernel counts them."""
        return np.array([self.source.layout.channels.index(c) for c in plan.channel.tolist()], np.int64)


def cache_folder() -> Path:
    """Where generated kernels are kept."""
    if named := os.environ.get("OSTEON_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "osteon"


_loaded: dict[tuple[Any, ...], Kernel] = {}


def load(model: Model, use: Use | None = None, dtype: str = "float64") -> Kernel:
    """The kernel of a model for some use; made on first use."""
    use = use or Use()
    key = (model.name, type(model), getattr(model, "without", ()), use, dtype)
    if key not in _loaded:
        _loaded[key] = _load(model, use, dtype)
    return _loaded[key]


def _load(model: Model, use: Use, dtype: str) -> Kernel:
    source = generate(model, use, dtype)
    digest = hashlib.sha256(source.text.encode()).hexdigest()[:20]
    name = f"osteon_kernel_{model.name}_{digest}"
    machine_code = _folder() / "__pycache__"
    cached = any(machine_code.glob(f"{name}.run-*.nbi")) if machine_code.is_dir() else False
    if not cached:
        log.info("compiling the kernel of %s (once for each set of drugs on this machine; some seconds)", model.name)
    return Kernel(module_of(name, source.text), source, np.dtype(dtype), cached, model, use)


def module_of(name: str, text: str) -> ModuleType:
    """A module from generated text, kept in the cache folder under a name that holds the text's hash."""
    path = _folder() / f"{name}.py"
    if not path.exists():
        files.write_whole(path, text)
    return _import(name, path)


@functools.cache
def _folder() -> Path:
    try:
        return files.check_writable(cache_folder())
    except Exception:  # no home, or a read-only one: compile anew in each process
        import tempfile

        return Path(tempfile.mkdtemp(prefix="osteon-kernels-"))


def _import(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


__all__ = ["Kernel", "Use", "cache_folder", "load"]
