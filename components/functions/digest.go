package functions

import (
	"crypto"
	"crypto/md5"  //nolint:gosec // agents name the function they need
	"crypto/sha1" //nolint:gosec // agents name the function they need
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck // agents name the function they need
)

// digest returns the hash of data by the function of that name, and whether there is such a function.
func digest(name string, data []byte) ([]byte, bool) {
	switch plainName(name) {
	case "shake128", "shake-128":
		return sha3.SumSHAKE128(data, 16), true
	case "shake256", "shake-256":
		return sha3.SumSHAKE256(data, 32), true
	case "md5-sha1":
		first, second := md5.Sum(data), sha1.Sum(data)
		return append(first[:], second[:]...), true
	}
	newHash, _ := hashNamed(name)
	if newHash == nil {
		return nil, false
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil), true
}

// hashNamed returns the hash function that OpenSSL has under a name, in any case, and its number; nil for others.
func hashNamed(name string) (func() hash.Hash, crypto.Hash) {
	switch plainName(name) {
	case "md5":
		return md5.New, crypto.MD5
	case "sha1", "sha-1", "sha1-2":
		return sha1.New, crypto.SHA1
	case "sha224", "sha-224", "sha2-224":
		return sha256.New224, crypto.SHA224
	case "sha256", "sha-256", "sha2-256":
		return sha256.New, crypto.SHA256
	case "sha384", "sha-384", "sha2-384":
		return sha512.New384, crypto.SHA384
	case "sha512", "sha-512", "sha2-512":
		return sha512.New, crypto.SHA512
	case "sha512-224", "sha512/224", "sha-512/224", "sha2-512/224":
		return sha512.New512_224, crypto.SHA512_224
	case "sha512-256", "sha512/256", "sha-512/256", "sha2-512/256":
		return sha512.New512_256, crypto.SHA512_256
	case "sha3-224":
		return func() hash.Hash { return sha3.New224() }, crypto.SHA3_224
	case "sha3-256":
		return func() hash.Hash { return sha3.New256() }, crypto.SHA3_256
	case "sha3-384":
		return func() hash.Hash { return sha3.New384() }, crypto.SHA3_384
	case "sha3-512":
		return func() hash.Hash { return sha3.New512() }, crypto.SHA3_512
	case "ripemd160", "ripemd-160", "ripemd", "rmd160":
		return ripemd160.New, crypto.RIPEMD160
	case "blake2b512", "blake2b-512":
		return newBLAKE2b, crypto.BLAKE2b_512
	case "blake2s256", "blake2s-256":
		return newBLAKE2s, crypto.BLAKE2s_256
	}
	return nil, 0
}

// newBLAKE2b leaves out an error that only a key can cause.
func newBLAKE2b() hash.Hash {
	h, _ := blake2b.New512(nil)
	return h
}

func newBLAKE2s() hash.Hash {
	h, _ := blake2s.New256(nil)
	return h
}

// plainName strips from the name of a hash function what says that it is used with RSA.
func plainName(name string) string {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(name, "rsa-")
	name = strings.TrimPrefix(name, "ssl3-")
	name = strings.TrimSuffix(name, "withrsaencryption")
	return strings.TrimSuffix(name, "withrsa")
}
