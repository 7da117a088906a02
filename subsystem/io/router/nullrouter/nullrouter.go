// Package nullrouter is a router that nothing reaches, for programs without a public address.
package nullrouter

import (
	"context"
	"net/http"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/router"
)

// Settings of the connector: there are none.
type Settings struct{}

// Definition is the connector as configuration names it.
var Definition = connector.Define(router.Kind, "NullRouter", "Takes handlers and serves none.", open).
	WithDoc("Addresses begin with http://nullrouter.local, which leads nowhere.")

type nowhere struct{}

func open(context.Context, connector.Env, Settings) (router.Connector, error) { return nowhere{}, nil }

// BaseURL is an address that leads nowhere.
func (nowhere) BaseURL() string { return "http://nullrouter.local" }

// Mount forgets the handler.
func (nowhere) Mount(context.Context, access.Grant[access.Owner], http.Handler) error { return nil }

// Unmount has nothing to end.
func (nowhere) Unmount(context.Context, access.Grant[access.Owner]) error { return nil }

var _ router.Connector = nowhere{}
