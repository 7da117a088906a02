package sre

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/internal/largevalue"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// cachedSessions keeps the states of debug sessions in the cache of the agent, and the large texts in them in its storage.
type cachedSessions struct{}

func (cachedSessions) Load(ctx context.Context, as scope.Scope, key string) (string, bool, error) {
	v, ok, err := as.Cache().Get(ctx, key)
	text, _ := v.Str()
	if err != nil || !ok || !strings.Contains(text, "$large") {
		return text, ok, err
	}
	state, err := value.Parse(text)
	if err != nil {
		return "", false, err
	}
	state, err = largevalue.In(state, func(id string) (string, error) {
		name, err := largeName(ctx, as, id)
		if err != nil {
			return "", err
		}
		data, err := as.Storage().Read(ctx, name)
		return string(data), err
	})
	return state.JSON(), true, err
}

func (cachedSessions) Save(ctx context.Context, as scope.Scope, key, text string, ttl time.Duration) error {
	if len(text) >= largevalue.Threshold {
		state, err := value.Parse(text)
		if err != nil {
			return err
		}
		state, err = largevalue.Out(state, func(id, text string) error {
			name, err := largeName(ctx, as, id)
			if err != nil {
				return err
			}
			return as.Storage().Write(ctx, name, []byte(text), storage.Options{TTL: ttl})
		})
		if err != nil {
			return err
		}
		text = state.JSON()
	}
	return as.Cache().Set(ctx, key, value.Of(text), cache.Options{TTL: ttl})
}

// largeName is where a large text of an agent lies. A text that lies there already is written again, for its new time.
func largeName(ctx context.Context, as scope.Scope, id string) (string, error) {
	team, err := as.Account().Team(ctx)
	if err != nil {
		return "", err
	}
	return smythfs.URI{Owner: as.Candidate(), Path: "_large/" + id}.Name(team), nil
}
