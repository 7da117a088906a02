package testtarget

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/value"
)

const (
	maxBytes = 1 << 20    // of /bytes
	maxDelay = 60 * 60000 // of /delay, in milliseconds

	// png is an image of one pixel, 70 bytes.
	png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
		"\x00\x00\x00\rIDATx\xdacd\xf8\xcfP\x0f\x00\x03\x86\x01\x80Z4}k\x00\x00\x00\x00IEND\xaeB`\x82"
)

// builtin answers a request as described by [describe].
func builtin(seen value.Value) reply {
	path, query := seen.GetString("path"), seen.Get("query")
	switch path {
	case "/echo":
		return answerJSON(http.StatusOK, seen)
	case "/redirect-to":
		return redirectTo(query)
	case "/text":
		return answer(http.StatusOK, "text/plain; charset=utf-8", "hello text ünïcode")
	case "/html":
		return answer(http.StatusOK, "text/html", "<p>hello</p>")
	case "/xml":
		return answer(http.StatusOK, "application/xml", "<a><b>1</b></a>")
	case "/png":
		return answer(http.StatusOK, "image/png", png)
	case "/bytes":
		return answer(http.StatusOK, "application/octet-stream", counting(query.GetString("n")))
	case "/empty":
		return reply{status: http.StatusNoContent}
	case "/empty200":
		return answer(http.StatusOK, jsonType, "")
	case "/bad-json":
		return answer(http.StatusOK, jsonType, `{"a": 1,`)
	case "/no-content-type":
		return answer(http.StatusOK, "", "no content type")
	case "/array":
		return answer(http.StatusOK, jsonType, `[1,2,{"a":"b"}]`)
	case "/set-cookie":
		r := answer(http.StatusOK, jsonType, `{"ok":true}`)
		r.headers = append(r.headers, header{"set-cookie", "a=1; Path=/"}, header{"set-cookie", "b=2"})
		return r
	case "/close":
		return reply{silent: true}
	}
	if r, ok := numbered(path); ok {
		return r
	}
	if strings.HasPrefix(path, "/echo/") {
		return answerJSON(http.StatusOK, seen)
	}
	return answerJSON(http.StatusNotFound, value.Obj(value.M("error", value.Of("no such route")), value.M("path", value.Of(path))))
}

// numbered answers the routes whose path ends in a number.
func numbered(path string) (reply, bool) {
	route, last, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	n, err := strconv.Atoi(last)
	if err != nil || n < 0 {
		return reply{}, false
	}
	switch route {
	case "status":
		if n < 200 || n > 999 {
			return reply{}, false
		}
		return answerJSON(n, value.Obj(value.M("status", value.OfInt(n)), value.M("message", value.Of("status "+last)))), true
	case "redirect":
		to := "/echo"
		if n > 0 {
			to = "/redirect/" + strconv.Itoa(n-1)
		}
		return redirect(http.StatusFound, to), true
	case "delay":
		r := answerJSON(http.StatusOK, value.Obj(value.M("delayed", value.OfInt(n))))
		r.delay = time.Duration(min(n, maxDelay)) * time.Millisecond
		return r, true
	}
	return reply{}, false
}

func redirectTo(query value.Value) reply {
	status := http.StatusFound
	if n, err := strconv.Atoi(query.GetString("status")); err == nil && n >= 300 && n < 400 {
		status = n
	}
	return redirect(status, query.GetString("url"))
}

func counting(n string) string {
	length, err := strconv.Atoi(n)
	if err != nil {
		length = 16
	}
	data := make([]byte, max(0, min(length, maxBytes)))
	for i := range data {
		data[i] = byte(i)
	}
	return string(data)
}
