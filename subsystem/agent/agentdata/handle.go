package agentdata

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Handle is the agent data as one candidate sees it. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Get returns an agent by id: its development version for "", else what is deployed. An agent that does not exist and
// one of another team are the same [fault.Denied].
func (h *Handle) Get(ctx context.Context, id, version string) (Agent, error) {
	const op = "agentdata.get"
	g, err := authorize[access.Read](ctx, h, op, id)
	if err != nil {
		return Agent{}, err
	}
	a, err := h.service.conn.Get(ctx, g, version)
	if err != nil {
		return Agent{}, wrap(op, id, err)
	}
	return a, nil
}

// Deployed reports whether an agent has a version other than that of development.
func (h *Handle) Deployed(ctx context.Context, id string) (bool, error) {
	const op = "agentdata.deployed"
	g, err := authorize[access.Read](ctx, h, op, id)
	if err != nil {
		return false, err
	}
	yes, err := h.service.conn.Deployed(ctx, g)
	return yes, wrap(op, id, err)
}

// Put stores an agent. Connectors that only read refuse it as [fault.Unsupported].
func (h *Handle) Put(ctx context.Context, a Agent) error {
	const op = "agentdata.put"
	g, err := authorize[access.Write](ctx, h, op, a.ID)
	if err != nil {
		return err
	}
	w, ok := h.service.conn.(Writer)
	if !ok {
		err := fault.Newf(fault.Unsupported, "these agents are only read")
		return wrap(op, a.ID, fault.Hint(err, "configure the connector Ephemeral for AgentData"))
	}
	return wrap(op, a.ID, w.Put(ctx, g, a))
}

// Page is a part of a listing.
type Page struct {
	IDs  []string
	Next string // pass it as after for the next page; "" at the end
}

// maxPage bounds a page.
const maxPage = 1000

// List returns the ids of the agents that the candidate may read and that begin with prefix, sorted, those after a
// given one, at most limit of them.
func (h *Handle) List(ctx context.Context, prefix, after string, limit int) (Page, error) {
	const op = "agentdata.list"
	if !h.ready() {
		return Page{}, wrap(op, prefix, errNone())
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	ids, err := h.service.conn.IDs(ctx)
	if err != nil {
		return Page{}, wrap(op, prefix, err)
	}
	at, _ := slices.BinarySearch(ids, after)
	var page Page
	for _, id := range ids[at:] {
		if id == after || !strings.HasPrefix(id, prefix) {
			continue
		}
		acl, err := h.service.acl(ctx, id)
		if err != nil {
			continue
		}
		if _, err := access.Authorize[access.Read](ctx, h.service.quiet, op, h.candidate, id, acl); err != nil {
			continue
		}
		if len(page.IDs) == limit {
			page.Next = page.IDs[limit-1]
			return page, nil
		}
		page.IDs = append(page.IDs, id)
	}
	return page, nil
}

func (h *Handle) ready() bool { return h.service != nil && h.service.conn != nil }

// authorize asks the guard. What is not there and what belongs to others is refused alike.
func authorize[L access.Level](ctx context.Context, h *Handle, op, id string) (access.Grant[L], error) {
	var none access.Grant[L]
	if !h.ready() {
		return none, wrap(op, id, errNone())
	}
	if err := access.ValidID(id); err != nil || id == "" {
		return none, wrap(op, "", fault.Newf(fault.Invalid, "%q is no id of an agent: letters, digits and hyphens", id))
	}
	acl, err := h.service.acl(ctx, id)
	if err != nil {
		return none, wrap(op, id, err)
	}
	return access.Authorize[L](ctx, h.service.guard, op, h.candidate, id, acl)
}

func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Op: op, Resource: id, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
}

func errNone() error {
	return fault.Hint(fault.Newf(fault.Unsupported, "no agent data is configured"), "configure the service AgentData")
}
