package vectordb

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Normal returns the name of a namespace as it is kept: without blanks around it, with "_" for those inside, in lower case.
func Normal(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), "_"))
}

// validName checks a name as it is given.
func validName(name string) error {
	normal := Normal(name)
	switch {
	case !utf8.ValidString(name):
		return fault.Newf(fault.Invalid, "the name of a namespace is UTF-8")
	case normal == "":
		return fault.Newf(fault.Invalid, "a namespace needs a name")
	case len(normal) > maxName:
		return fault.Newf(fault.Invalid, "the name of a namespace has at most %d bytes", maxName)
	}
	return access.ValidKey(normal)
}

// ValidID checks the id of a source: letters, digits, "-", "_", "." and ":", at most 256 of them.
func ValidID(id string) error {
	if id == "" || len(id) > maxID {
		return fault.Newf(fault.Invalid, "the id of a source has 1 to %d characters", maxID)
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("-_.:", rune(c)) {
			return fault.Newf(fault.Invalid, "the id of a source has letters, digits, '-', '_', '.' and ':' only")
		}
	}
	return nil
}

// checkMetadata bounds what is kept beside texts.
func checkMetadata(m value.Value) error {
	if m.IsAbsent() {
		return nil
	}
	if n := len(m.JSON()); n > maxMetadata {
		return fault.Newf(fault.Invalid, "metadata of %d bytes is over the limit of %d", n, maxMetadata)
	}
	return nil
}

// usable checks a vector that a model has made: it is of the length that the namespace wants, and made of numbers.
func usable(ns Namespace, v []float32) error {
	if len(v) != ns.Dimensions {
		err := fault.Newf(fault.Invalid, "a vector has %d dimensions, those of the namespace %q have %d", len(v), ns.Name, ns.Dimensions)
		return fault.Hint(err, "set embeddings.dimensions of the VectorDB connector to what the model %s makes, and make the namespace again", ns.Model)
	}
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fault.Newf(fault.Invalid, "a vector holds something that is no number")
		}
	}
	return nil
}
