"""``streetloop``, killed between the decision that a challenger serves cameras and its doing."""

import os
import signal

from flows.cli.main import app
from flows.runtime.workers.supervisor import Supervisor
from serve.rollout.route_table import RouteTable


class _Dying(Supervisor):
    def follow(self, table: RouteTable) -> None:
        if table.challenged:
            os.kill(os.getpid(), signal.SIGKILL)
        super().follow(table)


if __name__ == "__main__":
    import flows.runtime.session

    flows.runtime.session.Supervisor = _Dying  # type: ignore[misc]
    app()
