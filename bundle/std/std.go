// Package std is the set of everything: every service, connector and component type of this module.
//
// Programs that want less build their own [sre.Set], or start from bundle/minimal.
package std

import (
	"slices"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/data"
	"github.com/sre-go/sre/components/files"
	"github.com/sre-go/sre/components/flow"
	"github.com/sre-go/sre/components/functions"
	"github.com/sre-go/sre/components/hosted"
	"github.com/sre-go/sre/components/llms"
	"github.com/sre-go/sre/components/logic"
	"github.com/sre-go/sre/components/memories"
	"github.com/sre-go/sre/components/notes"
	"github.com/sre-go/sre/components/plugins"
	"github.com/sre-go/sre/components/rag"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/components/web"
)

// Set returns the set. Every call returns a new one, so it may be changed.
func Set() sre.Set {
	return sre.Set{Kinds: Kinds(), Connectors: Connectors(), Components: Components()}
}

// Components returns every component type.
func Components() []component.Definition {
	return slices.Concat(
		skills.Definitions(), llms.Definitions(), flow.Definitions(), functions.Definitions(), logic.Definitions(),
		data.Definitions(), hosted.Definitions(), memories.Definitions(), notes.Definitions(), plugins.Definitions(), rag.Definitions(), web.Definitions(), files.Definitions(),
	)
}
