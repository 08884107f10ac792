"""The game over HTTP: contests, quests, help and rewards."""

from __future__ import annotations

from dibs.web.entry import http
from dibs.wiring import wiring
from game import contests, help, quests, rewards

ROUTES = contests.ROUTES | quests.ROUTES | help.ROUTES | rewards.ROUTES

handler = http(ROUTES, lambda: (wiring().roster.playbook(),))
