// Package runwarellm makes images with Runware, which runs many models of pictures behind one address.
//
// A request is a list of tasks of which we send one, and the answer is what became of it. It makes pictures and nothing else:
// no text, no vectors. The interface is described at https://runware.ai/docs/en/image-inference/api-reference.
package runwarellm

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

type settings struct {
	BaseURL string `json:"baseURL" doc:"Address of the interface, https://api.runware.ai/v1 when empty; a model may name another one."`
}

// Definition describes the connector.
var Definition = connector.Define(llm.Kind, "Runware", "Makes images with models of Runware.",
	func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
		return &client{env: env, base: s.BaseURL}, nil
	})

// home is the address of the provider itself.
const home = "https://api.runware.ai/v1"

type client struct {
	env  connector.Env
	base string
}

// Generate implements [llm.Connector]: there is no text to be had.
func (c *client) Generate(context.Context, *llm.Call) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		err := fault.Newf(fault.Unsupported, "Runware makes images, and answers no questions")
		yield(nil, fault.Hint(err, "name a model of another provider, or use the component ImageGenerator"))
	}
}

// MakeImages implements [llm.ImageMaker].
func (c *client) MakeImages(ctx context.Context, call *llm.ImageCall) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		answer, err := c.ask(ctx, call)
		if err == nil {
			err = told(answer, yield)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func (c *client) ask(ctx context.Context, call *llm.ImageCall) (value.Value, error) {
	key, err := call.Credential.Key()
	if err != nil {
		return value.Value{}, err
	}
	task, err := c.task(call)
	if err != nil {
		return value.Value{}, err
	}
	base := call.Target.BaseURL
	if base == "" {
		base = c.base
	}
	if base == "" {
		base = home
	}
	slots := secret.NewSlots(c.env.Effects.NewID())
	ctx = limits.WithRequestTime(secret.WithSlots(llm.Reach(ctx, &call.Target, base), slots), c.env.Bounds().ModelTime)
	way := llm.Rest{HTTP: c.env.HTTP, Clock: c.env.Effects, Bytes: c.env.Bounds().ResponseBytes, Refused: refusal}
	return way.Ask(ctx, strings.TrimRight(base, "/"), http.Header{"Authorization": {"Bearer " + slots.Put(key)}}, value.List(task))
}

const (
	side      = 1024 // pixels, when nobody says how large a picture is to be
	maxImages = 20
)

// task writes a call. What only this provider knows is laid over it, by its own names.
func (c *client) task(call *llm.ImageCall) (value.Value, error) {
	width, height, err := size(call.Size)
	if err != nil {
		return value.Value{}, err
	}
	b := value.NewBuilder(12).Set("taskType", value.Of("imageInference")).Set("taskUUID", value.Of(c.uuid())).
		Set("model", value.Of(call.Target.ModelID)).Set("positivePrompt", value.Of(call.Prompt)).
		Set("width", value.OfInt(width)).Set("height", value.OfInt(height)).
		Set("numberResults", value.OfInt(max(1, min(call.Count, maxImages)))).
		Set("outputType", value.Of("URL")).Set("outputFormat", value.Of("JPG"))
	for i, f := range call.Files {
		switch {
		case !strings.HasPrefix(f.MIME, "image/"):
			return value.Value{}, fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", f.MIME)
		case i > 0:
			return value.Value{}, fault.Newf(fault.Invalid, "this provider changes one image at a time, not %d", len(call.Files))
		}
		b.Set("seedImage", dataURL(f)).Set("strength", value.OfNumber(0.5))
	}
	if call.Mask != nil {
		b.Set("maskImage", dataURL(*call.Mask))
	}
	for _, m := range call.Extra.Members() {
		if m.Key == "strength" && len(call.Files) == 0 {
			continue // how much a given picture is changed
		}
		v := m.Value
		if text, ok := v.Str(); ok && m.Key == "outputFormat" {
			v = value.Of(format(text))
		}
		if m.Key != "taskType" && m.Key != "taskUUID" {
			b.Set(m.Key, v)
		}
	}
	return b.Build(), nil
}

// format is a form of pictures by the provider's name.
func format(name string) string {
	switch name = strings.ToUpper(name); name {
	case "JPEG", "AUTO", "":
		return "JPG"
	}
	return name
}

// size reads "1024x768".
func size(text string) (width, height int, err error) {
	if text == "" || text == "auto" {
		return side, side, nil
	}
	w, h, ok := strings.Cut(strings.ToLower(text), "x")
	width, errW := strconv.Atoi(w)
	height, errH := strconv.Atoi(h)
	if !ok || errW != nil || errH != nil || width < 1 || height < 1 {
		err := fault.Newf(fault.Invalid, "%q is no size of an image", text)
		return 0, 0, fault.Hint(err, "sizes are written like 1024x768")
	}
	return width, height, nil
}

func dataURL(f llm.File) value.Value {
	return value.Of("data:" + f.MIME + ";base64," + base64.StdEncoding.EncodeToString(f.Data))
}

// uuid returns the name of a task, in the form that the provider wants: a random UUID as RFC 9562 has it.
func (c *client) uuid() string {
	var b [16]byte
	c.env.Effects.Random(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// told gives the pictures of an answer. An answer with an error in it is not complete, whatever else is there.
func told(answer value.Value, yield func(llm.Part, error) bool) error {
	images := 0
	for _, d := range answer.Get("data").Items() {
		picture := llm.Image{URL: d.GetString("imageURL"), Prompt: d.GetString("positivePrompt")}
		if text := d.GetString("imageBase64Data"); text != "" {
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return fault.Newf(fault.Unavailable, "the provider sent an image that is none")
			}
			picture.Data, picture.MIME = data, http.DetectContentType(data)
		}
		if picture.URL == "" && picture.Data == nil {
			picture.URL = d.GetString("imageDataURI")
		}
		if picture.URL == "" && picture.Data == nil {
			continue
		}
		images++
		if !yield(picture, nil) {
			return nil
		}
	}
	if images > 0 && !yield(llm.Usage{Images: images}, nil) {
		return nil
	}
	if answer.Get("errors").Len() > 0 {
		return refusal(0, answer).Err(0)
	}
	if images == 0 {
		return fault.New(fault.Unavailable, &llm.ProviderError{Message: "the provider made no picture and did not say why"})
	}
	yield(llm.Finish{Reason: llm.Stop, Raw: "stop"}, nil)
	return nil
}

// refusal reads the first of the errors of an answer, and says what to do.
func refusal(status int, body value.Value) llm.Refusal {
	e := body.Get("errors").At(0)
	if e.IsAbsent() {
		e = body.Get("error")
	}
	r := llm.Refusal{Message: e.GetString("message")}
	if r.Message == "" {
		r.Message, _ = body.Str()
	}
	code := strings.ToLower(e.GetString("code"))
	switch {
	case strings.Contains(code, "apikey") || status == http.StatusUnauthorized:
		r.Kind, r.Hint = fault.Unauthenticated, "check the key: sre vault set runware"
	case strings.Contains(code, "credit") || status == http.StatusPaymentRequired:
		r.Hint = "the account at Runware has no credit left"
	case status == http.StatusForbidden:
		r.Hint = "check what the key may do at Runware, or store another one: sre vault set runware"
	case strings.Contains(code, "model") || status == http.StatusNotFound:
		r.Hint = "models are named as Runware does, such as runware:100@1"
	}
	if status == 0 && r.Kind == 0 && strings.HasPrefix(code, "invalid") {
		r.Kind = fault.Invalid
	}
	return r
}

var (
	_ llm.Connector  = (*client)(nil)
	_ llm.ImageMaker = (*client)(nil)
)
