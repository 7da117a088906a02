package storage

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Recaller is implemented by connectors for which a ruling costs a journey of its own.
//
// What is recalled may be out of date. It is good enough to try by: an act is tied to the generation that was decided on,
// so it fails when the ACL is not that one any more, and then the guard asks Rule and decides again. Nobody is refused by
// what was recalled, and nothing is answered from it.
type Recaller interface {
	// Recall returns what Rule answered about a name not long ago, false when that is not known. It asks nobody.
	Recall(name string) (Ruling, bool)
}

// recalled acts by a ruling that the connector remembers. It reports whether that settled the matter: when not, nothing
// was done and nobody was refused.
func recalled[L access.Level](ctx context.Context, h *Handle, op, name string, do func(access.Grant[L], Ruling) error) (bool, error) {
	if ctx.Err() != nil || h.check(op, name) != nil {
		return false, nil
	}
	conn, ok := h.service.conn.(Recaller)
	if !ok {
		return false, nil
	}
	ruling, ok := conn.Recall(name)
	if !ok {
		return false, nil
	}
	// A guard without an audit: whether to refuse is decided by the ruling of now, which also leaves the record.
	silent := access.Guard{Directory: h.service.guard.Directory}
	grant, err := access.Authorize[L](ctx, &silent, op, h.candidate, name, ruling.ACL)
	if err != nil {
		return false, nil
	}
	err = do(grant, ruling)
	return err == nil || !fault.Is(err, fault.Conflict) && fault.CodeOf(err) != CodeDamaged, err
}
