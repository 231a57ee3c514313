#!/usr/bin/env bash
# Exim and OpenSMTPD for the tests. As Debian packages they conflict with Postfix, so they are only unpacked:
#   fetch.sh FOLDER   ->   FOLDER/exim, FOLDER/opensmtpd   (GATEWAY_TEST_EXIM, GATEWAY_TEST_OPENSMTPD)
# Their libraries are unpacked beside them, since nothing is installed.
set -euo pipefail
folder=${1:?usage: fetch.sh FOLDER}
mkdir -p "$folder/debs"
chmod 755 "$folder" "$folder/debs"
cd "$folder/debs"

unpack() { # NAME PACKAGE...
  local name=$1
  shift
  if [ -e "../$name/.complete" ]; then return; fi
  rm -rf "../$name" "$name"
  mkdir -p "$name"
  (cd "$name" && apt-get download -q "$@")
  local deb
  for deb in "$name"/*.deb; do dpkg -x "$deb" "../$name"; done
  chmod 755 "../$name"
  touch "../$name/.complete"
}

unpack exim exim4-base exim4-daemon-light \
  libdb5.3 libgnutls-dane0 libunbound8 libevent-2.1-7 libgnutls30 libidn12 libnsl2 libtirpc3
unpack opensmtpd opensmtpd libdb5.3 libevent-2.1-7
echo "unpacked in $folder: exim, opensmtpd"
