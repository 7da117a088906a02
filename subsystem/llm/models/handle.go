package models

import (
	"context"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Handle is the catalogue as one candidate sees it: the operator's, and the models of the candidate's team. It is safe
// for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Find returns a model by the id that agents name it by. An unknown id is [fault.NotFound] and names the nearest one.
func (h *Handle) Find(ctx context.Context, id string) (Model, error) {
	const op = "models.find"
	c, err := h.catalog(ctx, op, id)
	if err != nil {
		return Model{}, err
	}
	if m, ok := c.Find(id); ok {
		return m, nil
	}
	own := h.own(ctx)
	if i := slices.IndexFunc(own, func(m Model) bool { return m.ID == id }); i >= 0 {
		return own[i], nil
	}
	return Model{}, h.wrap(op, id, c.unknown(id, own))
}

// Prices returns what a model costs: its own prices, or the dearest of the catalogue when they are not known.
func (h *Handle) Prices(ctx context.Context, m *Model) (Prices, error) {
	if m.Prices.Known {
		return m.Prices, nil
	}
	c, err := h.catalog(ctx, "models.prices", m.ID)
	if err != nil {
		return Prices{}, err
	}
	p := c.Dearest()
	p.Known = false
	return p, nil
}

// List returns the models in the order of the catalogue, then those of the candidate's team. Hidden ones are left out.
func (h *Handle) List(ctx context.Context) ([]Model, error) {
	c, err := h.catalog(ctx, "models.list", "")
	if err != nil {
		return nil, err
	}
	list := make([]Model, 0, len(c.List()))
	for _, m := range c.List() {
		if !m.Hidden {
			list = append(list, m)
		}
	}
	for _, m := range h.own(ctx) {
		if _, shadowed := c.Find(m.ID); !shadowed {
			list = append(list, m)
		}
	}
	return list, nil
}

func (h *Handle) catalog(ctx context.Context, op, id string) (*Catalog, error) {
	if !h.service.ready() {
		err := fault.Newf(fault.Unsupported, "no models are known")
		return nil, h.wrap(op, id, fault.Hint(err, "configure a connector for ModelsProvider"))
	}
	c, err := h.service.conn.Catalog(ctx)
	if err != nil {
		return nil, h.wrap(op, id, err)
	}
	return c, nil
}

func (h *Handle) wrap(op, id string, err error) error {
	e := &fault.Error{Op: op, Resource: id, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
