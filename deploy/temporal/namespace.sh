#!/bin/sh
# The namespace, and how long the history of a closed workflow stays: the record keeps what matters for ever.
set -eu
temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1 \
  || temporal operator namespace create --namespace "$NAMESPACE" --retention 2160h
