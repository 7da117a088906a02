package nkv

import (
	"fmt"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// StoredLimits bound values in connectors that keep them as text; for [value.Encode] and [value.Decode]. Every value of
// [MaxValueBytes] whose nesting is within them fits: a byte takes at most six when it is quoted.
func StoredLimits() value.Limits {
	return value.Limits{Bytes: 6*MaxValueBytes + 1024, Depth: 1000, Values: 2_000_000}
}

// CodeDamaged is the code of errors about a stored value that cannot be understood.
const CodeDamaged = "RECORD_DAMAGED"

// Damaged is the error of a connector for a value that is lost in part or garbled. It names the key, and says what is
// wrong as in [fmt.Errorf].
func Damaged(at Address, format string, args ...any) error {
	return &fault.Error{
		Kind: fault.Internal, Code: CodeDamaged, Hint: "store the value anew, or delete it",
		Err: fmt.Errorf("the value of %q is damaged: %w", at.Key, fmt.Errorf(format, args...)),
	}
}
