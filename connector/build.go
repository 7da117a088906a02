package connector

// Opened is one connector that the kernel has opened.
type Opened struct {
	ID        string
	Connector any
}

// Build makes the service of a kind over its opened connectors; for the kernel and for test suites.
// def is the id of the default one, "" for the first. open, which may be nil, serves per-call settings.
func Build(k AnyKind, env Env, def string, opened []Opened, open Opener) (any, error) {
	in := erased{def: def, byID: make(map[string]any, len(opened)), cache: newDerivedCache(env, open)}
	for _, o := range opened {
		in.byID[o.ID] = o.Connector
		in.order = append(in.order, o.ID)
	}
	if in.def == "" && len(opened) > 0 {
		in.def = opened[0].ID
	}
	return k.build(env, in)
}
