package localnkv

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sre-go/sre/subsystem/io/nkv"
)

// A value lies in "values/<space>/<key>.rec", where <space> stands for the team and the namespace and <key> for the key,
// each by its SHA-256. So every address has a file of its own, whatever characters it is made of and whether or not the
// disk tells upper case from lower case, and no name leads anywhere else. What a file is about stands in it.
const (
	valuesFolder = "values/"
	fileSuffix   = ".rec"
)

// spaceOf returns the folder of a namespace, with a "/" at its end.
func spaceOf(at nkv.Address) string {
	return valuesFolder + digest(at.Team+"\x00"+at.Namespace) + "/" // neither may hold a NUL
}

// fileOf returns the file of a value.
func fileOf(at nkv.Address) string { return spaceOf(at) + digest(at.Key) + fileSuffix }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
