package vaultfile

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the hash of the padding that the reference's files have
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash"

	"github.com/sre-go/sre/fault"
)

// rsaCodec opens files of the reference: base64 of the JSON, encrypted with RSA-OAEP. It seals none: such a file holds a
// few hundred bytes at most.
type rsaCodec struct{ key *rsa.PrivateKey }

// NewRSACodec reads a private key in PEM. Its errors hold nothing of the key.
func NewRSACodec(text []byte) (Codec, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, Unsafe("name the private key of the vault in PEM", "the key file holds no PEM")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		parsed, failed := x509.ParsePKCS8PrivateKey(block.Bytes)
		rsaKey, ok := parsed.(*rsa.PrivateKey)
		if failed != nil || !ok {
			return nil, Unsafe("name the private key of the vault in PEM", "the key file holds no RSA private key (its PEM is a %q)", block.Type)
		}
		key = rsaKey
	}
	return rsaCodec{key}, nil
}

// Open decrypts the file, with the padding that either hash gives.
func (c rsaCodec) Open(text []byte) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		return nil, Unsafe("take away fileKey for a vault in the clear", "the vault file is not base64")
	}
	for _, newHash := range []func() hash.Hash{sha1.New, sha256.New} {
		if plain, err := rsa.DecryptOAEP(newHash(), nil, c.key, sealed, nil); err == nil {
			return plain, nil
		}
	}
	return nil, Unsafe("name the key that the file was encrypted for", "the vault file does not open with this key, or is damaged")
}

// Seal is refused.
func (rsaCodec) Seal([]byte) ([]byte, error) {
	return nil, fault.Hint(fault.Newf(fault.Unsupported, "a vault file with fileKey is for reading"), "make an encrypted vault and import this one: sre vault init, sre vault import")
}
