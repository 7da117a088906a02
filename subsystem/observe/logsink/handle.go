package logsink

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Handle is the log of one agent. It is safe for concurrent use. Every operation of another candidate is
// [fault.Denied].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Log keeps a record and returns its id, with which [Handle.Complete] adds to it.
func (h *Handle) Log(ctx context.Context, r Record) (string, error) {
	return h.write(ctx, "log.write", "", r)
}

// Complete adds to a record of this agent: a call that was logged when it began is completed when it ends. What r does
// not say stays.
func (h *Handle) Complete(ctx context.Context, id string, r Record) error {
	const op = "log.complete"
	if h.service.ready() && id == "" {
		return h.wrap(op, fault.Newf(fault.Invalid, "the id of the record to complete is missing"))
	}
	_, err := h.write(ctx, op, id, r)
	return err
}

// CountTasks counts finished tasks. Those of a test domain are not counted.
func (h *Handle) CountTasks(ctx context.Context, tasks int, testDomain bool) error {
	const op = "log.count"
	g, err := h.authorize(ctx, op)
	switch {
	case err != nil:
		return err
	case tasks < 0:
		return h.wrap(op, fault.Newf(fault.Invalid, "%d tasks cannot be counted", tasks))
	case tasks == 0 || testDomain:
		return nil
	}
	return h.wrap(op, h.service.conn.Count(ctx, g, tasks))
}

func (h *Handle) write(ctx context.Context, op, id string, r Record) (string, error) {
	g, err := h.authorize(ctx, op)
	if err != nil {
		return "", err
	}
	id, err = h.service.conn.Write(ctx, g, id, r.without(redactors(ctx, h.service.secrets, h.candidate)))
	return id, h.wrap(op, err)
}

func (h *Handle) authorize(ctx context.Context, op string) (access.Grant[access.Write], error) {
	if !h.service.ready() {
		err := fault.Hint(fault.Newf(fault.Unsupported, "no Log service"), "configure a connector for Log")
		return access.Grant[access.Write]{}, h.wrap(op, err)
	}
	if ctx.Err() != nil {
		return access.Grant[access.Write]{}, h.wrap(op, context.Cause(ctx))
	}
	resource := h.candidate.String()
	if h.candidate.Role() != access.RoleAgent {
		_ = h.service.guard.Deny(ctx, op, h.candidate, resource, access.ByDefault) // for its record; the error below says why
		return access.Grant[access.Write]{}, h.wrap(op, fault.Newf(fault.Denied, "Only agents can use Log connector"))
	}
	return access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, resource, access.OwnedBy(h.candidate))
}

// wrap says where an error arose. No error stays none.
func (h *Handle) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &fault.Error{Op: op, Resource: h.candidate.String(), Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
