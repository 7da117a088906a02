package conformance

import (
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

var places = Places{LLMBaseURL: "http://127.0.0.1:11111/v1", HTTPBaseURL: "http://127.0.0.1:22222", Folder: "/f"}

func TestPlaces_Fill(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"${HTTP_HOST}":["${LLM_BASE_URL}/x","${HTTP_BASE_URL}","${LLM_HOST}",1,"${TMP}/a","${OTHER}"]}`)
	want := `{"127.0.0.1:22222":["http://127.0.0.1:11111/v1/x","http://127.0.0.1:22222","127.0.0.1:11111",1,"/f/a","${OTHER}"]}`
	if got := places.Fill(in).JSON(); got != want {
		t.Errorf("Fill() = %s, want %s", got, want)
	}
}

func TestStep_Request(t *testing.T) {
	t.Parallel()
	s, err := parseStep(parse(t, `{"method":"POST","path":"/api/${RESP:0:data.id}","sessionID":"s","url":"u",
		"body":{"whole":"${RESP:0:data}","part":"<${RESP:0:data.id}>","none":"${RESP:5:data}","open":"${RESP:0","url":"${HTTP_BASE_URL}"},
		"query":{"q":1},"headers":{"X-${RESP:0:data.id}":"${RESP:0:data.list[1]}"},
		"files":[{"fieldname":"f","originalname":"n","mimetype":"m","base64":"AAE="}],
		"kill":{"after_ms":20,"reason":"enough"},"callback":true,"sse":true,"read_state":"id"}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Timeout != defaultTimeout {
		t.Errorf("timeout = %v, want %v", s.Timeout, defaultTimeout)
	}
	r, err := s.Request(places, []value.Value{parse(t, `{"data":{"id":"i7","list":[1,2]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	wantBody := `{"whole":{"id":"i7","list":[1,2]},"part":"<i7>","none":"","open":"${RESP:0","url":"http://127.0.0.1:22222"}`
	if got := r.Body.JSON(); got != wantBody {
		t.Errorf("body = %s, want %s", got, wantBody)
	}
	if got, want := r.Headers.JSON(), `{"X-i7":2}`; got != want {
		t.Errorf("headers = %s, want %s", got, want)
	}
	if r.Method != "POST" || r.Path != "/api/i7" || r.SessionID != "s" || r.URL != "u" || r.Query.JSON() != `{"q":1}` ||
		!r.Callback || !r.SSE || r.ReadState != "id" || r.KillAfter != 20*time.Millisecond || r.KillReason != "enough" {
		t.Errorf("request = %+v", r)
	}
	if len(r.Files) != 1 || r.Files[0].Field != "f" || r.Files[0].Name != "n" || r.Files[0].MIME != "m" || string(r.Files[0].Data) != "\x00\x01" {
		t.Errorf("files = %+v", r.Files)
	}

	bare, err := parseStep(parse(t, `{"kill":{"after_ms":0}}`))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = bare.Request(places, nil); err != nil || !r.Body.IsAbsent() || !r.Query.IsAbsent() || r.KillAfter <= 0 {
		t.Errorf("bare request = %+v, %v; want no body, no query and a kill at once", r, err)
	}
	broken, err := parseStep(parse(t, `{"files":[{"base64":"%"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Request(places, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("request with a broken file: error = %v, want one of kind %v", err, fault.Invalid)
	}
}

func TestResponse_Value(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		response Response
		request  Request
		want     string
	}{
		"data":      {Response{Data: value.OfInt(1)}, Request{}, `{"data":1}`},
		"status":    {Response{Data: value.OfInt(1), Status: 404}, Request{}, `{"data":1,"status":404}`},
		"nothing":   {Response{}, Request{}, `{"data_undefined":true}`},
		"threw":     {Response{Threw: "no"}, Request{}, `{"threw":"no"}`},
		"timed out": {Response{Data: value.OfInt(1), Threw: "deadline", TimedOut: true}, Request{}, `{"timeout":true}`},
		"events": {Response{Data: value.OfInt(1), SSE: []Event{{"agent", value.OfInt(2)}}, Callback: []value.Value{value.OfInt(3)}},
			Request{SSE: true, Callback: true}, `{"data":1,"sse":[{"event":"agent","data":2}],"callback":[3]}`},
		"events that nobody wants": {Response{Data: value.OfInt(1), SSE: []Event{{"agent", value.OfInt(2)}}}, Request{}, `{"data":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.response.Value(c.request).JSON(); got != c.want {
				t.Errorf("Value() = %s, want %s", got, c.want)
			}
		})
	}
}
