"""A command as Redis' own COMMAND describes it to clients."""

from multipaxos.chain.state_machine import CommandForm
from multipaxos.runtime.client_port import resp


def row(name: str, form: CommandForm, *, is_of_state: bool) -> resp.Reply:
    """Return a row of Redis' table of commands: name, arity, flags, which arguments are keys."""
    least = 1 + form.arguments_min
    arity = least if form.arguments_max == form.arguments_min else -least
    if is_of_state:
        flags = ["readonly"] if form.reads else ["write", "denyoom"]
    else:
        flags = ["loading", "stale", "fast"]
    # Redis counts from the name; what counts from the end stays as it is.
    first = 0 if form.first_key is None else form.first_key + 1
    last = form.last_key + (form.last_key >= 0) if first else 0
    step = form.key_step if first else 0
    return resp.array(
        [
            resp.bulk(name.lower()),
            resp.integer(arity),
            resp.array([resp.simple(flag) for flag in flags]),
            *map(resp.integer, (first, last, step)),
            # Its categories, hints, key specifications and subcommands, which nobody needs.
            *[resp.array([])] * 4,
        ]
    )


def documentation(form: CommandForm, encoding: resp.Encoding, *, is_of_state: bool) -> resp.Reply:
    """Return what COMMAND DOCS says of a command."""
    group = "generic" if is_of_state else "connection"
    return encoding.mapping({"summary": resp.bulk(form.usage), "group": resp.bulk(group)})
