package localcache

import (
	"crypto/sha256"
	"encoding/hex"
)

// An entry lies in "entries/<xx>/<rest>.rec", where <xx><rest> is the SHA-256 of its key. So every key has a file of its own,
// whatever characters it is made of and whether or not the disk tells upper case from lower case, and no key leads
// anywhere else. The key itself stands in the file.
const (
	entriesFolder = "entries/"
	fileSuffix    = ".rec"
)

// fileOf returns the file of an entry.
func fileOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	return entriesFolder + name[:2] + "/" + name[2:] + fileSuffix
}
