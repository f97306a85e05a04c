"""The packaged unit's rules put on a child before it becomes stoxd: no capability, another user, its system calls and no others.

A system call that systemd would refuse with an error kills here, so that no refusal is overlooked.
"""

import ctypes
import os
import re
import shutil
import subprocess

_UNIT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "packaging", "stoxd.service.in")
_KILL_PROCESS, _ALLOW, _ENOSYS, _EAFNOSUPPORT = 0x80000000, 0x7FFF0000, 0x00050000 | 38, 0x00050000 | 97
_EQUAL, _MASKED_EQUAL = 4, 7
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 38, 24
_PROT_WRITE, _PROT_EXEC = 2, 4
_NAMESPACES = 0x7E020000  # CLONE_NEW*
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
_NOBODY = 65534


class _Argument(ctypes.Structure):
    _fields_ = [("number", ctypes.c_uint), ("compare", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def missing():
    """Why there can be no sandbox here; empty: there can."""
    if not shutil.which("systemd-analyze"):
        return "no systemd-analyze"
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return "no libseccomp.so.2"
    return ""


def _settings(key):
    with open(_UNIT, encoding="utf-8") as f:
        return re.findall(rf"(?m)^{key}=(.*)$", f.read())


def _calls(word):
    """The names in a set like @system-service, all sets in it resolved by systemd itself."""
    if not word.startswith("@"):
        return {word}
    shown = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
    names = [line.strip() for line in shown.splitlines() if line.startswith("    ") and not line.strip().startswith("#")]
    return set().union(*map(_calls, names))


def allowed_calls():
    """What the unit's SystemCallFilter= lines leave, and what systemd allows always."""
    allowed = set()
    for line in _settings("SystemCallFilter"):
        taken = set().union(*map(_calls, line.lstrip("~").split()))
        allowed = allowed - taken if line.startswith("~") else allowed | taken
    return allowed | _calls("@default")


def filter_of_unit():
    """A function that puts the rules on the calling process: for good, and for all that it becomes."""
    lib, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None, use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    context = ctypes.c_void_p(lib.seccomp_init(_KILL_PROCESS))
    families = [_FAMILIES[name] for line in _settings("RestrictAddressFamilies") for name in line.split()]
    either = [_Argument(2, _MASKED_EQUAL, bit, 0) for bit in (_PROT_WRITE, _PROT_EXEC)]  # W^X
    rules = {
        "socket": [_Argument(0, _EQUAL, family, 0) for family in families],
        "mmap": either,
        "mprotect": [_Argument(2, _MASKED_EQUAL, _PROT_EXEC, 0)],
        "pkey_mprotect": [_Argument(2, _MASKED_EQUAL, _PROT_EXEC, 0)],
        "clone": [_Argument(0, _MASKED_EQUAL, _NAMESPACES, 0)],
    }

    def add(action, name, *arguments):
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # of another architecture
        array = (_Argument * len(arguments))(*arguments)
        failed = lib.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(arguments), array)
        if failed:
            raise OSError(-failed, f"seccomp rule for {name}")

    for name in sorted(allowed_calls()):
        if name == "clone3":
            add(_ENOSYS, name)  # its flags lie in memory: RestrictNamespaces= refuses it so, and libc takes clone()
        elif name in rules:
            for argument in rules[name]:
                add(_ALLOW, name, argument)
        else:
            add(_ALLOW, name)
    # Not fatal, as libc itself asks for AF_NETLINK where a name has several addresses, and can do without.
    for family in set(range(46)) - set(families):
        add(_EAFNOSUPPORT, "socket", _Argument(0, _EQUAL, family, 0))

    def enter():
        for capability in range(64):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        os.umask(0o077)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        failed = lib.seccomp_load(context)
        if failed:
            raise OSError(-failed, "seccomp_load")

    return enter


def give_to_service_user(folder):
    """The folder and all in it, as StateDirectory= gives its own."""
    if os.geteuid() != 0:
        return
    for at, _, names in os.walk(folder):
        for path in [at, *(os.path.join(at, name) for name in names)]:
            os.chown(path, _NOBODY, _NOBODY)
