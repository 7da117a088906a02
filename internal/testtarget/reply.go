package testtarget

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/value"
)

// reply is an answer before it is written.
type reply struct {
	status  int
	headers []header
	body    []byte
	delay   time.Duration
	silent  bool // close the connection without an answer
}

type header struct{ name, text string }

const jsonType = "application/json"

func answer(status int, contentType, body string) reply {
	r := reply{status: status, body: []byte(body)}
	if contentType != "" {
		r.headers = []header{{"content-type", contentType}}
	}
	return r
}

func answerJSON(status int, v value.Value) reply { return answer(status, jsonType, v.JSON()) }

func redirect(status int, to string) reply {
	return reply{status: status, headers: []header{{"location", to}}}
}

// wire returns the answer in the form of HTTP/1.1: its own headers, content-length unless the status has no body,
// connection and x-target.
func (r reply) wire(method string) []byte {
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(r.status) + " " + http.StatusText(r.status) + "\r\n")
	line := func(name, text string) {
		clean := strings.NewReplacer("\r", "", "\n", "")
		b.WriteString(clean.Replace(name) + ": " + clean.Replace(text) + "\r\n")
	}
	for _, h := range r.headers {
		line(h.name, h.text)
	}
	bodiless := r.status < 200 || r.status == http.StatusNoContent || r.status == http.StatusNotModified
	if !bodiless {
		line("content-length", strconv.Itoa(len(r.body)))
	}
	line("connection", "close")
	line("x-target", "sre-oracle")
	b.WriteString("\r\n")
	if !bodiless && method != http.MethodHead {
		b.Write(r.body)
	}
	return []byte(b.String())
}

// caseRoute returns the answer of a route of the case.
func caseRoute(routes value.Value, method, path string) (reply, bool) {
	route := routes.Get(method + " " + path)
	if !route.IsObject() {
		route = routes.Get("* " + path)
	}
	if !route.IsObject() {
		return reply{}, false
	}
	r := reply{status: http.StatusOK}
	if status, ok := route.Get("status").Num(); ok && status >= 200 && status <= 999 {
		r.status = int(status)
	}
	if ms, ok := route.Get("delay_ms").Num(); ok {
		r.delay = time.Duration(ms * float64(time.Millisecond))
	}
	typed := false
	for _, m := range route.Get("headers").Members() {
		values := []value.Value{m.Value}
		if m.Value.IsArray() {
			values = m.Value.Items()
		}
		for _, v := range values {
			r.headers = append(r.headers, header{strings.ToLower(m.Key), v.Plain()})
		}
		typed = typed || strings.EqualFold(m.Key, "content-type")
	}
	switch {
	case route.Has("json"):
		r.body = []byte(route.Get("json").JSON())
		if !typed {
			r.headers = append(r.headers, header{"content-type", jsonType})
		}
	case route.Has("base64"):
		data, err := base64.StdEncoding.DecodeString(route.GetString("base64"))
		if err != nil {
			return answerJSON(http.StatusInternalServerError, value.Obj(value.M("error", value.Of("route has no valid base64")))), true
		}
		r.body = data
	default:
		r.body = []byte(route.Get("body").Plain())
	}
	return r, true
}
