#!/bin/sh
# Make .venv ready to use, with the project installed in it: tools/make-venv.sh PYTHON [EXTRA [named]]
#
# With "named", a .venv that another Python than PYTHON made is made again; without, it will do.
#
# The project is installed in place, so that a change of its source needs no new installation. A note in
# .venv records the directory and the pyproject.toml of the last one: nothing happens while both still
# hold. A .venv that was moved, interrupted or has lost its Python is made again.
set -eu

python=${1:-python3}
extra=${2:-}
named=${3:-}
cd "$(dirname "$0")/.."
root=$(pwd -P)
venv=$root/.venv
begun=$venv/.begun
installed=$venv/.installed${extra:+-$extra}

# Say what is wrong in one sentence and end with exit code 2.
refuse() {
    echo "multipaxos: $*" >&2
    exit 2
}

# Print what an installation of this project depends on.
describe() {
    echo "# installed in $root"
    cat pyproject.toml
}

# Print which Python the interpreter $1 is, or comes from.
origin() {
    "$1" -c 'import sys; print(sys.version, getattr(sys, "base_prefix", ""))' 2>/dev/null
}

# Tell whether .venv is complete, works, belongs to this directory and is of the Python that was named.
is_usable() {
    test ! -e "$begun" &&
        test "$(cat "$venv/.root" 2>/dev/null)" = "$root" &&
        "$venv/bin/python" -m pip --version >/dev/null 2>&1 &&
        { test -z "$named" || test "$(origin "$python")" = "$(origin "$venv/bin/python")"; }
}

# Replace $python by the interpreter to make .venv with, or refuse. (This runs under old Pythons, too.)
choose_python() {
    "$python" -c 'pass' >/dev/null 2>&1 ||
        refuse "'$python' does not run: install Python 3.11 or newer" \
            "(on Debian: apt-get install python3 python3-venv)" \
            "or name one, as in: make demo PYTHON=python3.12"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "'$python' is Python $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')," \
            "but 3.11 or newer is needed: install one and name it, as in: make demo PYTHON=python3.12"
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        refuse "'$python' cannot make virtual environments:" \
            "install its venv module (on Debian: apt-get install python3-venv)"
    # Inside an activated .venv, python3 is the very one that is about to be replaced.
    python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
}

make_venv() {
    choose_python
    rm -rf "$venv"
    mkdir "$venv"
    : >"$begun"
    "$python" -m venv "$venv" || refuse "'$python' could not make .venv (its message is above)"
    echo "$root" >"$venv/.root"
}

install_project() {
    : >"$begun"
    echo "multipaxos: installing into .venv" >&2
    if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --editable ".${extra:+[$extra]}"; then
        rm -f "$begun"  # pip takes back what it did; only an interruption leaves a half-made .venv.
        refuse "pip could not install the project (its message is above): is there a network connection?"
    fi
    describe >"$installed"
    describe >"$venv/.installed"  # An extra comes on top of the rest.
    rm -f "$begun"
}

if is_usable && describe | cmp -s - "$installed"; then
    exit 0
fi

trap 'exit 130' INT TERM
is_usable || make_venv
install_project
