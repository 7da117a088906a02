package storage

import (
	"fmt"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// The longest name of an object and the longest of its segments, in bytes. They leave room for what connectors add.
const (
	MaxName    = 500
	MaxSegment = 240
)

// metadataFolder is where the reference keeps metadata and ACLs.
const metadataFolder = ".local.metadata"

// ValidName checks that name may name an object: what [access.ValidName] accepts within the lengths of this package, but
// for the folder in which the reference keeps its metadata. The error is [fault.Invalid] with the code PATH_DENIED.
func ValidName(name string) error {
	if err := access.ValidName(name); err != nil {
		return err
	}
	if len(name) > MaxName {
		return badName("a name of %d bytes is over the limit of %d", len(name), MaxName)
	}
	for more := true; more; {
		var segment string
		segment, name, more = strings.Cut(name, "/")
		switch {
		case len(segment) > MaxSegment:
			return badName("a segment of %d bytes is over the limit of %d", len(segment), MaxSegment)
		case len(segment) >= len(metadataFolder) && strings.EqualFold(segment[:len(metadataFolder)], metadataFolder):
			return badName("the name %q is reserved", segment)
		}
	}
	return nil
}

func badName(format string, args ...any) error {
	return &fault.Error{Kind: fault.Invalid, Code: access.CodePathDenied, Err: fmt.Errorf(format, args...)}
}

// everything follows the prefix in the resource of a listing, so that the empty prefix has a name, too.
const everything = "*"

// Prefix returns what the names of a listing begin with.
func Prefix(g access.Grant[access.Read]) string { return strings.TrimSuffix(g.Resource(), everything) }

// validPrefix checks the prefix of a listing. It may be cut off anywhere in a name.
func validPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return access.ValidKey(prefix + "x")
}

// teamOfPlace returns the team that alone may make objects of that name: names below "teams/<team>/",
// "teams/<team>.agent/" and "teams/<team>.user/" belong to the team. ok is false for every other name.
func teamOfPlace(name string) (team string, ok bool) {
	first, rest, found := strings.Cut(name, "/")
	if !found || !strings.EqualFold(first, "teams") {
		return "", false
	}
	place, _, _ := strings.Cut(rest, "/")
	team, _, _ = strings.Cut(place, ".")
	return team, true
}
