package httpserver

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/sre-go/sre/internal/engine"
)

// log writes one line about the request. It has the path without the query, and neither headers nor bodies: those are
// the affair of the agent and its callers.
func (x *exchange) log() {
	ctx, level := x.r.Context(), slog.LevelInfo
	if x.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !x.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("id", x.id), slog.String("client", x.peer.client), slog.String("method", clip(x.r.Method)),
		slog.String("path", clip(x.r.URL.Path)), slog.Int("status", x.status), slog.Int("bytes", x.written),
		slog.Duration("took", x.cfg.Effects.Now().Sub(x.start)),
	)
	if id := x.caller.token.TokenID(); id != "" {
		attrs = append(attrs, slog.String("token", id))
	}
	if x.refused != "" {
		attrs = append(attrs, slog.String("refused", x.refused))
	}
	var broken *engine.PanicError
	switch {
	case x.bug != nil:
		attrs = append(attrs, slog.String("panic", x.bug.cause), slog.String("stack", string(x.bug.stack)))
	case errors.As(x.err, &broken):
		attrs = append(attrs, slog.String("error", broken.Error()), slog.String("panic", broken.Cause), slog.String("stack", string(broken.Stack)))
	case x.err != nil && x.status >= http.StatusInternalServerError:
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	x.cfg.Log.LogAttrs(ctx, level, "request", attrs...)
}
