"""esp32 for the unix VM: NVS in the file $NVS; what is not committed is lost, as on the chip."""

import json
import os


class NVS:
    """One namespace of 32-bit numbers."""

    def __init__(self, namespace):
        self._path = os.getenv("NVS")
        self._space = namespace
        try:
            with open(self._path) as file:
                self._all = json.load(file)
        except (OSError, ValueError):
            self._all = {}

    def get_i32(self, key):
        try:
            return self._all[self._space][key]
        except KeyError:
            raise OSError(-4354)  # ESP_ERR_NVS_NOT_FOUND

    def set_i32(self, key, value):
        self._all.setdefault(self._space, {})[key] = value

    def commit(self):
        with open(self._path + ".new", "w") as file:
            json.dump(self._all, file)
        os.rename(self._path + ".new", self._path)
