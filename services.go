package sre

import (
	"context"
	"log/slog"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/kernel"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/agent/catalog"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// This file binds the process table to the services it needs. A set may lack any of them.

// componentsOf returns the component types that agents may use: those of the catalogue, or all that are linked where
// there is no catalogue.
func componentsOf(ctx context.Context, s *connector.Services, linked []component.Definition) ([]component.Definition, error) {
	types, ok := connector.Find(s, catalog.Kind)
	if !ok {
		return linked, nil
	}
	return types.For(access.Public()).List(ctx)
}

// use returns the middleware of every run: what the program asked for, and innermost the records of calls, when there
// is a Log service that keeps them, or somebody reads what it prints.
func (o *options) use(s *connector.Services, logs []kernel.Instance) []engine.Middleware {
	keeps := slices.ContainsFunc(logs, func(in kernel.Instance) bool { return in.Connector != "ConsoleLog" })
	if _, ok := connector.Find(s, logsink.Kind); !ok || !keeps && !o.log.Enabled(context.Background(), slog.LevelInfo) {
		return o.middleware
	}
	failed := func(err error) { o.log.Warn("a call was not recorded", "error", err.Error()) }
	return append(slices.Clip(o.middleware), agent.Records(failed))
}

// teams returns the directory of teams, nil without an Account service.
func teams(s *connector.Services) access.Directory {
	if accounts, ok := connector.Find(s, account.Kind); ok {
		return accounts
	}
	return nil
}

// readSecret returns how agents read the vault, nil without a Vault service.
func readSecret(s *connector.Services) func(context.Context, scope.Scope, string) (secret.Value, error) {
	if _, ok := connector.Find(s, vault.Kind); !ok {
		return nil
	}
	return func(ctx context.Context, as scope.Scope, key string) (secret.Value, error) {
		return as.Vault().Get(ctx, key)
	}
}

// sessionStore returns where debug sessions are kept, nil without a Cache service.
func sessionStore(s *connector.Services) agent.SessionStore {
	if _, ok := connector.Find(s, cache.Kind); !ok {
		return nil
	}
	return cachedSessions{}
}
