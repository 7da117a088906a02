package nkv

import (
	"context"
	"iter"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Connector keeps values by team, namespace and key; [At] tells which a grant is about. Its methods are safe for
// concurrent use and keep no grants.
//
// Namespaces and keys have passed [access.ValidKey] and mean nothing but themselves: a namespace has no namespaces below
// it, whatever its name, and no two addresses may meet.
type Connector interface {
	// Get returns a value. No value is [Missing].
	Get(ctx context.Context, g access.Grant[access.Read]) (value.Value, error)
	// Set stores a value. When it returns, the next Get gives it.
	Set(ctx context.Context, g access.Grant[access.Write], v value.Value) error
	// Delete removes a value. Nothing to remove is no error.
	Delete(ctx context.Context, g access.Grant[access.Write]) error
	// List gives the values of a namespace after the key after ("" for the first), in an order of the connector's own
	// that does not change. It gives at most one error, as the last pair.
	List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[Item, error]
	// DeleteAll removes all values of a namespace.
	DeleteAll(ctx context.Context, g access.Grant[access.Write]) error
}

// Item is one value of a namespace.
type Item struct {
	Key   string
	Value value.Value
}

// Missing is the error of a connector for an address without a value.
func Missing() error { return errMissing }

// errMissing is made once: a miss is nothing unusual.
var errMissing = fault.Newf(fault.NotFound, "no such value")
