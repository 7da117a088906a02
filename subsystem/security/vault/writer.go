package vault

import (
	"context"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// MaxSecretLength bounds a secret that is stored, in bytes.
const MaxSecretLength = 64 << 10

// Writer is implemented by connectors whose secrets can be changed. A change counts for the calls that start after it has
// returned, and an error leaves the old state or the new one, never a part of it. Its methods are safe for concurrent use.
type Writer interface {
	// Set stores a secret under the key of the grant, with the hosts it is bound to, in place of what was there.
	Set(ctx context.Context, g access.Grant[access.Write], v secret.Value) error
	// Delete removes the key of the grant. One that the team does not hold itself is [fault.NotFound].
	Delete(ctx context.Context, g access.Grant[access.Write]) error
	// Info describes the keys of the team that the grant names, in the order they were stored.
	Info(ctx context.Context, g access.Grant[access.Read]) ([]Info, error)
}

// Info describes a key without its secret.
type Info struct {
	Name  string
	Hosts []string // that the secret may be sent to, nil for any
}

// Set stores a secret of the candidate's team, bound to the hosts that v is bound to. Only a user or the team itself may
// store, never an agent. A connector that cannot store is [fault.Unsupported].
func (h *Handle) Set(ctx context.Context, key string, v secret.Value) error {
	const op = "vault.set"
	if err := h.checkEntry(op, key, v); err != nil {
		return err
	}
	return h.write(ctx, op, key, func(w Writer, g access.Grant[access.Write]) error {
		team, _ := Split(g.Resource())
		h.service.env.Secrets.Note(team, v)
		return w.Set(ctx, g, v)
	})
}

// Delete removes a secret of the candidate's team, under the rules of [Handle.Set]. A key that is not there is
// [fault.NotFound].
func (h *Handle) Delete(ctx context.Context, key string) error {
	const op = "vault.delete"
	if err := h.check(op, key); err != nil {
		return err
	}
	return h.write(ctx, op, key, func(w Writer, g access.Grant[access.Write]) error { return w.Delete(ctx, g) })
}

// Info describes the keys of the candidate's team, in the order they were stored. A connector that is no [Writer] tells
// their names alone.
func (h *Handle) Info(ctx context.Context) ([]Info, error) {
	const op = "vault.info"
	if !h.service.ready() {
		return nil, h.wrap(op, "", errNone())
	}
	g, err := h.authorize(ctx, op, "")
	if err != nil {
		return nil, err
	}
	if w, ok := h.service.conn.(Writer); ok {
		infos, err := w.Info(ctx, g)
		if err != nil {
			return nil, h.wrap(op, "", err)
		}
		return infos, nil
	}
	names, err := h.service.conn.List(ctx, g)
	if err != nil {
		return nil, h.wrap(op, "", err)
	}
	infos := make([]Info, len(names))
	for i, name := range names {
		infos[i].Name = name
	}
	return infos, nil
}

// write decides, records the decision, and changes. Who may change a key is decided by the list of the team's keys: a new
// key has no rights of its own yet.
func (h *Handle) write(ctx context.Context, op, key string, change func(Writer, access.Grant[access.Write]) error) error {
	resource, err := h.resource(ctx, op, key)
	if err != nil {
		return err
	}
	if r := h.candidate.Role(); r != access.RoleUser && r != access.RoleTeam {
		_ = h.service.guard.Deny(ctx, op, h.candidate, resource, access.ByDefault) // for its record
		return fault.Hint(refusal(op, key), "agents cannot change the vault: act as the team or as one of its users")
	}
	team, _ := Split(resource)
	acl, err := h.service.conn.ACL(ctx, Resource(team, ""))
	if err != nil {
		return h.wrap(op, key, err)
	}
	w, ok := h.service.conn.(Writer)
	if !ok {
		return h.wrap(op, key, fault.Hint(fault.Newf(fault.Unsupported, "this vault cannot be changed"), "change it where its secrets are kept"))
	}
	g, err := access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return refusal(op, key)
	}
	written := access.Decision{Candidate: h.candidate, Resource: resource, Operation: op, Level: "write", Allowed: true}
	if err := h.service.env.Audit(ctx, written); err != nil {
		return h.wrap(op, key, err)
	}
	if err := change(w, g); err != nil {
		return h.wrap(op, key, err)
	}
	return nil
}

// checkEntry refuses what cannot be stored and read again as it is.
func (h *Handle) checkEntry(op, key string, v secret.Value) error {
	if err := h.check(op, key); err != nil {
		return err
	}
	plain := v.Reveal()
	switch {
	case !printable(key):
		return h.wrap(op, key, fault.Newf(fault.Invalid, "the name of a key is text without control characters"))
	case v.IsZero():
		return h.wrap(op, key, fault.Hint(fault.Newf(fault.Invalid, "the secret is empty"), "to take a key away, delete it"))
	case len(plain) > MaxSecretLength:
		return h.wrap(op, key, fault.Newf(fault.Invalid, "a secret has at most %d bytes, this one has %d", MaxSecretLength, len(plain)))
	case !utf8.ValidString(plain):
		return h.wrap(op, key, fault.Hint(fault.Newf(fault.Invalid, "the secret is not text in UTF-8"), "encode it in base64"))
	}
	if hosts := v.Hosts(); hosts != nil {
		if err := CheckHosts(hosts); err != nil {
			return h.wrap(op, key, err)
		}
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// CheckHosts checks what a secret is bound to: names, addresses, or "*.name" for all names below one; without a scheme,
// a port or a path. An empty list is refused, because it reads as "nowhere" and would count as "anywhere".
func CheckHosts(hosts []string) error {
	if len(hosts) == 0 {
		return fault.Hint(fault.Newf(fault.Invalid, "the list of hosts is empty"), "leave it out for a secret that may be sent to any host")
	}
	for _, host := range hosts {
		if !isHost(host) {
			return fault.Hint(fault.Newf(fault.Invalid, "%q is no host", host), "write a name such as api.example.com, or *.example.com for all below it")
		}
	}
	return nil
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	name := strings.TrimPrefix(host, "*.")
	if len(name) > 253 {
		return false
	}
	for _, label := range strings.Split(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

// notInLabel reports what no name on the wire holds: names in other scripts are written in their xn-- form.
func notInLabel(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}
