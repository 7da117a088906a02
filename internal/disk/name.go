package disk

import (
	"errors"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// CodePathDenied is the code of errors about names and links that lead, or may lead, out of a folder.
const CodePathDenied = access.CodePathDenied

// ValidName checks that name may name a file in a folder: what [access.ValidName] accepts, but for the folder of
// temporary files. The error is of kind [fault.Invalid] with the code PATH_DENIED.
func ValidName(name string) error { return checkName("disk.name", name) }

func checkName(op, name string) error {
	err := access.ValidName(name)
	if err == nil && reserved(name) {
		err = errors.New("the name " + tempFolder + " is reserved")
	}
	if err == nil {
		return nil
	}
	return &fault.Error{Op: op, Kind: fault.Invalid, Code: CodePathDenied, Err: err}
}

// reserved reports whether a segment of the name is the folder of temporary files, in any case of letters.
func reserved(name string) bool {
	if len(name) < len(tempFolder) {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(segment, tempFolder) {
			return true
		}
	}
	return false
}
