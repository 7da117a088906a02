package httpserver

import (
	"context"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
)

// caller is who sends a request, as far as it is proven. The zero caller is a stranger.
type caller struct {
	operator bool           // shows the token of the operator
	token    account.Caller // shows an API token
}

// known reports whether the caller has proven anything.
func (c *caller) known() bool { return c.operator || !c.token.IsZero() }

// debugs reports whether the caller may debug agents, and steer their runs by headers.
func (c *caller) debugs() bool { return c.operator || c.token.Has(account.ScopeDebug) }

// admin reports whether the caller may know how the parts of the runtime are.
func (c *caller) admin() bool { return c.operator || c.token.Has(account.ScopeAdmin) }

// reaches reports whether an agent exists for the caller. To strangers, where they are let in at all, every agent does.
func (c *caller) reaches(ctx context.Context, a *agent.Agent) bool {
	return c.token.IsZero() || c.token.MayCall(ctx, a.Candidate())
}

// bearer returns what the request shows as a token: one Authorization header, the scheme Bearer, one blank, and the rest
// of it. Everything else shows nothing.
func (x *exchange) bearer() string {
	sent := x.r.Header["Authorization"]
	if len(sent) != 1 {
		return ""
	}
	scheme, token, ok := strings.Cut(sent[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// authenticate finds out who calls. A token that proves nothing is that of a stranger, whatever the reason; only the log
// has it. The error says that API tokens cannot be told at the moment.
func (x *exchange) authenticate() error {
	shown := x.bearer()
	if shown == "" {
		return nil
	}
	if x.cfg.Token.Equal(secret.New(shown)) {
		x.caller.operator = true
		return nil
	}
	if !account.LooksLikeToken(shown) {
		return nil
	}
	x.apiToken = true
	token, err := x.cfg.Accounts.Authenticate(x.r.Context(), shown)
	switch {
	case err == nil:
		x.caller.token = token
	case fault.Is(err, fault.Unauthenticated):
		x.refused = err.Error()
	default:
		x.refused = err.Error()
		return fault.Hint(fault.Newf(fault.Unavailable, "API tokens cannot be checked at the moment"), "try again later")
	}
	return nil
}

func unauthenticated() error {
	err := fault.Newf(fault.Unauthenticated, "the request does not show a token of this server")
	return fault.Hint(err, `send it once, as the header "Authorization: Bearer TOKEN"`)
}

// visible returns the agents that exist for the caller. The slice must not be changed.
func (x *exchange) visible() []*agent.Agent {
	loaded := x.cfg.Agents.Agents()
	if x.caller.token.IsZero() {
		return loaded
	}
	var list []*agent.Agent
	for _, a := range loaded {
		if x.caller.reaches(x.r.Context(), a) {
			list = append(list, a)
		}
	}
	return list
}
