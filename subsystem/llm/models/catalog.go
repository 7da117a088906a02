package models

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Catalog is a set of models by id. It does not change and is safe for concurrent use.
type Catalog struct {
	models []Model
	byID   map[string]int
	folded map[string]int // by id in lower case; ambiguous for -1
	dear   Prices
}

const ambiguous = -1

// NewCatalog reads the entries of the sources. A source is a map of entries by id, or one entry, whose id is its
// modelId; an entry of a later source takes the place of an earlier one. Entries that cannot be read are left out: the
// second result says why.
func NewCatalog(sources ...value.Value) (*Catalog, []error) {
	var faults []error
	entries := value.NewBuilder(64)
	for _, src := range sources {
		switch {
		case single(src):
			entries.Add(src.GetString("modelId"), src)
		case src.IsObject():
			for _, m := range src.Members() {
				entries.Add(m.Key, m.Value)
			}
		case !src.IsNil():
			faults = append(faults, fault.Newf(fault.Invalid, "a catalogue of models is an object, not %s", src.Kind()))
		}
	}
	all := entries.Build()
	c := &Catalog{byID: make(map[string]int, all.Len()), folded: make(map[string]int, all.Len())}
	for _, e := range all.Members() {
		alias, err := aliased(all, e.Value)
		if err == nil {
			var m Model
			if m, err = read(e.Key, e.Value, alias); err == nil {
				c.add(m)
				continue
			}
		}
		faults = append(faults, err)
	}
	return c, faults
}

// aliased returns the entry that another one refers to, absent for none. It is followed once: an alias of an alias does
// not lead on.
func aliased(all, entry value.Value) (value.Value, error) {
	id := entry.GetString("alias")
	if id == "" {
		return value.Value{}, nil
	}
	to := all.Get(id)
	if !to.IsObject() {
		if single(entry) { // the text is what the provider calls it
			return value.Obj(value.M("modelId", value.Of(id))), nil
		}
		return value.Value{}, fault.Newf(fault.Invalid, "alias %q is no model of the catalogue", id)
	}
	return to, nil
}

func (c *Catalog) add(m Model) {
	at := len(c.models)
	c.models = append(c.models, m)
	c.dear = c.dear.dearer(m.Prices)
	c.byID[m.ID] = at
	if _, taken := c.folded[fold(m.ID)]; taken {
		at = ambiguous
	}
	c.folded[fold(m.ID)] = at
}

// Find returns a model by id. Upper and lower case make no difference where only one model can be meant.
func (c *Catalog) Find(id string) (Model, bool) {
	at, ok := c.byID[id]
	if !ok {
		at, ok = c.folded[fold(id)]
	}
	if !ok || at == ambiguous {
		return Model{}, false
	}
	return c.models[at], true
}

// Dearest returns the highest price of each kind. A model whose price nobody knows counts as that.
func (c *Catalog) Dearest() Prices { return c.dear }

// List returns the models in the order of the catalogue. The caller must not change the slice.
func (c *Catalog) List() []Model { return c.models }

// unknown is the error for an id that is neither in the catalogue nor among more.
func (c *Catalog) unknown(id string, more []Model) error {
	ids := make([]string, 0, len(c.models)+len(more))
	for _, list := range [][]Model{c.models, more} {
		for i := range list {
			if !list[i].Hidden {
				ids = append(ids, list[i].ID)
			}
		}
	}
	err := fault.New(fault.NotFound, schema.UnknownName("model", id, ids))
	return fault.Hint(err, "set model to one of the catalogue, or describe it in a file of the folder models")
}
