// Package minimal is a set for programs that embed the runtime and want little: services that keep things in memory or
// in a folder, and the component types that ask no model. It brings no package but the standard library and this module.
package minimal

import (
	"slices"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/data"
	"github.com/sre-go/sre/components/flow"
	"github.com/sre-go/sre/components/functions"
	"github.com/sre-go/sre/components/logic"
	"github.com/sre-go/sre/components/notes"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/agent/catalog"
	"github.com/sre-go/sre/subsystem/agent/catalog/localcomponent"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/localstorage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/subsystem/security/account/jsonfileaccount"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/subsystem/security/vault/jsonfilevault"
)

// Set returns the set. Every call returns a new one, so it may be changed.
func Set() sre.Set {
	types := components()
	return sre.Set{
		Kinds: []connector.AnyKind{account.Kind, vault.Kind, storage.Kind, cache.Kind, catalog.Kind},
		Connectors: []connector.Definition{
			dummyaccount.Definition, jsonfileaccount.Definition, jsonfilevault.Definition,
			localstorage.Definition(), ramstorage.Definition(), ramcache.Definition(), localcomponent.Definition(types),
		},
		Components: types,
	}
}

func components() []component.Definition {
	return slices.Concat(
		skills.Definitions(), flow.Definitions(), functions.Definitions(), logic.Definitions(), data.Definitions(), notes.Definitions(),
	)
}
