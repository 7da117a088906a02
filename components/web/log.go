package web

import (
	"net/http"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// logRequest writes what is sent into the log of the call. Keys of the vault are stand-ins there.
func logRequest(call *component.Call, req *http.Request, b body) {
	if !call.Logs() {
		return
	}
	data := b.log
	if data == "" {
		data = string(b.data)
	}
	headers := req.Header.Clone()
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if headers.Get(name) != "" {
			headers.Set(name, secret.Redacted)
		}
	}
	call.LogDebug("Request:", value.Obj(
		value.M("method", value.Of(req.Method)), value.M("url", value.Of(req.URL.String())),
		value.M("headers", headerValue(headers)), value.M("data", value.Of(data)),
	).Indent("  "))
}

// logAnswer writes a part of an answer into the log of the call.
func logAnswer(call *component.Call, what string, v value.Value) {
	if !call.Logs() {
		return
	}
	text, ok := v.Str()
	if !ok {
		text = v.Indent("  ")
	}
	call.LogDebug(what, strings.ToValidUTF8(text, "\uFFFD"))
}
