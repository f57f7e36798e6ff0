"""Files and values that variables of the environment may name, and that can't be used."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from support.engines.proxy import clear_environment


NO_NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "OPENSSL_CONF")

BAD_FILES = {
    "missing": "there is no such file",
    "a folder": "it is a folder",
    "empty": "it is empty",
    "not PEM": "it holds no certificate in PEM form",
    "cut off": "it holds no certificate in PEM form",
    "only a key": "it holds no certificate in PEM form",
    "a device": "it is no regular file",
}
BAD_FOLDERS = {
    "missing": "there is no such file or folder",
    "a file": "it is a file, not a folder",
    "empty": "no certificate is in it under a name that OpenSSL looks for",
    "without hashes": "no certificate is in it under a name that OpenSSL looks for",
    "hashes of no certificates": "no certificate is in it under a name that OpenSSL looks for",
    "a list of such": "there is no such file or folder",
}
BAD_PROXIES = {
    "socks5://proxy.example:1080": 'pip install "httpx[socks]"',
    "socks5h://proxy.example:1080": 'pip install "httpx[socks]"',
    "socks4://proxy.example:1080": "http://, https://, socks5://, socks5h:// only",
    "socks://127.0.0.1:7891/": "http://, https://, socks5://, socks5h:// only",
    "ftp://proxy.example": "http://, https://, socks5://, socks5h:// only",
    "http://": "it is no address of a proxy",
    " ": "it is no address of a proxy",
    "http://:8080": "it is no address of a proxy",
    "proxy.example:port": "it is no address of a proxy",
    "proxy.example:0": "it is no address of a proxy",
    "http://proxy.example:99999": "it is no address of a proxy",
    "http://my proxy:8080": "it is no address of a proxy",
    "http://proxy.example:8080\n": "it is no address of a proxy",
    "http://[::1:8080": "it is no address of a proxy",
    "::::": "it is no address of a proxy",
    "http://me:s3cret@pass/w0rd@proxy.example:8080": "percent-encoded",
}


def bad_file(kind: str, folder: Path) -> str:
    """Return the path of a file that holds no certificates, in the way that its kind says."""
    ca = trustme.CA()
    path = folder / "ca.pem"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        contents = {
            "empty": b"",
            "not PEM": b"hello\n",
            "cut off": ca.cert_pem.bytes()[:200],
            "only a key": ca.private_key_pem.bytes(),
        }
        path.write_bytes(contents.get(kind, b""))
    return "/dev/null" if kind == "a device" else str(path)


def bad_folder(kind: str, folder: Path) -> str:
    """Return the path of a folder, or a list of them, without certificates that can be found."""
    path = folder / "certs"
    if kind == "a file":
        path.write_bytes(b"")
    elif kind not in ("missing", "a list of such"):
        path.mkdir()
        certificate = trustme.CA().cert_pem.bytes()
        if kind == "without hashes":
            (path / "company.pem").write_bytes(certificate)
        elif kind == "hashes of no certificates":
            (path / "0a1b2c3d.0").write_bytes(b"hello")
    return f"{path}:{path}-too" if kind == "a list of such" else str(path)


def good_folder(folder: Path) -> str:
    """Return the path of a folder with a certificate where OpenSSL looks for one."""
    path = folder / "good"
    path.mkdir()
    (path / "0a1b2c3d.0").write_bytes(trustme.CA().cert_pem.bytes())
    return str(path)


def good_file(folder: Path) -> str:
    """Return the path of a file with a certificate."""
    path = folder / "good.pem"
    path.write_bytes(trustme.CA().cert_pem.bytes())
    return str(path)


def bare_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing in the environment that connections depend on."""
    clear_environment(monkeypatch)
    for name in NO_NETWORK:
        monkeypatch.delenv(name, raising=False)


def authorities(context: ssl.SSLContext) -> int:
    """Return how many certificates a context trusts."""
    return context.cert_store_stats()["x509"]
