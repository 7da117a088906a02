package testmodel

import (
	"net/http"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Script says what the server answers: the first rule whose conditions all hold and which is not used up.
// Without one the answer is the text "OK". A Script is immutable.
type Script struct {
	rules  []rule
	always Faults
}

type rule struct {
	when   value.Value
	times  int     // how often it may answer; negative for any number
	chance float64 // that it answers when it could
	reply  reply
}

// reply is one scripted answer.
type reply struct {
	text   value.Value // absent for none
	echo   string      // user, last, system or messages
	words  int         // of a text that chance writes
	tools  []tool
	finish string   // "" for the default of the protocol
	mute   bool     // a stream ends without a reason
	chunks []string // pieces of a stream; nil to split the text

	delay      time.Duration
	chunkDelay time.Duration
	failure    value.Value // {status, message, type, code}
	raw        value.Value // a body to send as it is, absent for none
	status     int         // of a failure or of such a body
	retryAfter string      // header of any answer, "" for none

	contentType string // of a raw body
	drop        bool   // close the connection without an answer
	cryAfter    int    // pieces of a stream after which it says the failure; negative for a refusal
	abortAfter  int    // close it after that many pieces of a stream; negative for never
	cutBytes    int    // close it after that many bytes of the body; negative for never
	stall       bool   // stand still instead of closing, at once when neither of the two is given
}

// tool is one tool call that the model asks for.
type tool struct {
	id, name, arguments string
	size                int // of the arguments in bytes, 0 for as they are
	repeat              int // how often it is asked for
}

const (
	ruleMembers  = " when times chance reply "
	conditions   = " model stream last_role last_contains user_contains system_contains has_tools "
	replyMembers = " text json echo words tools finish no_finish delay_ms chunks chunk_delay_ms error error_after retry_after body content_type status close abort_after cut_bytes stall "
	toolMembers  = " id name args args_bytes repeat "
	echoes       = " user last system messages "
)

// ParseScript reads the rules of a case: [{when, times, reply}]. An absent v is a script without rules. Members that it
// does not know are refused with the kind fault.Invalid.
func ParseScript(v value.Value) (Script, error) {
	var s Script
	for i, r := range v.Items() {
		parsed, err := parseRule(r)
		if err != nil {
			return Script{}, fault.Newf(fault.Invalid, "rule %d of the model script: %w", i, err)
		}
		s.rules = append(s.rules, parsed)
	}
	return s, nil
}

func parseRule(v value.Value) (rule, error) {
	r := rule{when: v.Get("when"), times: whole(v.Get("times"), -1), chance: 1}
	if n, ok := v.Get("chance").Num(); ok {
		r.chance = n
	}
	answer := v.Get("reply")
	for _, check := range []struct {
		of    value.Value
		known string
	}{{v, ruleMembers}, {r.when, conditions}, {answer, replyMembers}} {
		if err := onlyKnown(check.of, check.known); err != nil {
			return rule{}, err
		}
	}
	var err error
	r.reply, err = parseReply(answer)
	return r, err
}

func parseReply(v value.Value) (reply, error) {
	r := usual()
	r.text, r.echo, r.words = v.Get("text"), v.GetString("echo"), whole(v.Get("words"), 0)
	r.finish, r.mute = v.GetString("finish"), v.Get("no_finish").Truthy()
	r.delay, r.chunkDelay = milliseconds(v.Get("delay_ms")), milliseconds(v.Get("chunk_delay_ms"))
	r.failure, r.raw, r.retryAfter = v.Get("error"), v.Get("body"), v.Get("retry_after").Plain()
	r.drop, r.stall = v.Get("close").Truthy(), v.Get("stall").Truthy()
	r.cryAfter = whole(v.Get("error_after"), -1)
	r.abortAfter, r.cutBytes = whole(v.Get("abort_after"), -1), whole(v.Get("cut_bytes"), -1)
	if r.contentType = v.GetString("content_type"); r.contentType == "" {
		r.contentType = "text/html"
	}
	r.status = http.StatusOK
	if !r.failure.IsAbsent() {
		r.status = http.StatusInternalServerError
	}
	for _, of := range []value.Value{v, r.failure} {
		if n := whole(of.Get("status"), 0); n >= 200 && n <= 999 {
			r.status = n
		}
	}
	if r.echo != "" && !strings.Contains(echoes, " "+r.echo+" ") {
		return reply{}, fault.Newf(fault.Invalid, "unknown echo %q", r.echo)
	}
	if v.Has("json") {
		r.text = value.Of(v.Get("json").JSON())
	}
	for _, chunk := range v.Get("chunks").Items() {
		r.chunks = append(r.chunks, chunk.Plain())
	}
	if r.text.IsAbsent() && r.chunks != nil {
		r.text = value.Of(strings.Join(r.chunks, ""))
	}
	var err error
	r.tools, err = parseTools(v.Get("tools"))
	return r, err
}

// usual is what the server answers when nothing else is said.
func usual() reply {
	return reply{text: value.Of("OK"), status: http.StatusOK, contentType: "text/html", cryAfter: -1, abortAfter: -1, cutBytes: -1}
}

// parseTools reads tool calls. One with "args_bytes" has that many bytes of arguments, one with "repeat" is asked for
// that often; both are written when they are asked for.
func parseTools(v value.Value) ([]tool, error) {
	var tools []tool
	for _, t := range v.Items() {
		if err := onlyKnown(t, toolMembers); err != nil {
			return nil, err
		}
		tools = append(tools, tool{
			id: t.GetString("id"), name: t.GetString("name"), arguments: t.Get("args").Plain(), size: whole(t.Get("args_bytes"), 0), repeat: whole(t.Get("repeat"), 1),
		})
	}
	return tools, nil
}

func onlyKnown(v value.Value, known string) error {
	for _, m := range v.Members() {
		if !strings.Contains(known, " "+m.Key+" ") {
			return fault.Newf(fault.Invalid, "unknown member %q", m.Key)
		}
	}
	return nil
}

// whole reads a number that is not negative.
func whole(v value.Value, otherwise int) int {
	if n, ok := v.Num(); ok && n >= 0 && n <= 1<<40 {
		return int(n)
	}
	return otherwise
}

func milliseconds(v value.Value) time.Duration {
	ms, _ := v.Num()
	return time.Duration(ms * float64(time.Millisecond))
}

// matches reports whether all conditions of the rule hold.
func (r rule) matches(x exchange) bool {
	last := x.last("")
	for _, m := range r.when.Members() {
		wanted, _ := m.Value.Str()
		flag := m.Value.Truthy()
		holds := false
		switch m.Key {
		case "model":
			holds = x.model == wanted
		case "stream":
			holds = x.stream == flag
		case "has_tools":
			holds = x.tools == flag
		case "last_role":
			holds = last.role == wanted
		case "last_contains":
			holds = strings.Contains(last.text, wanted)
		case "user_contains":
			holds = strings.Contains(x.last("user").text, wanted)
		case "system_contains":
			holds = strings.Contains(x.system(), wanted)
		}
		if !holds {
			return false
		}
	}
	return true
}
