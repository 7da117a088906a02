package bedrockllm

import (
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// request is a call as the provider takes it.
type request struct {
	messages  []types.Message
	system    []types.SystemContentBlock
	inference *types.InferenceConfiguration
	tools     *types.ToolConfiguration
	extra     document.Interface // what only some models know
}

// newRequest writes a call for the Converse interface.
func newRequest(call *llm.Call) (*request, error) {
	messages, system, err := conversation(call.Messages)
	if err != nil {
		return nil, err
	}
	if system != "" && cannot(call, "supportsSystemPrompt") {
		messages[0].Content = append([]types.ContentBlock{words(system)}, messages[0].Content...)
		system = ""
	}
	r := &request{messages: messages}
	if system != "" {
		r.system = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: system}}
	}
	thinking := call.Reasoning.On && call.Target.Has(models.FeatureReasoning) && claude(call)
	r.sampling(call, thinking)
	r.declare(call, thinking)
	if call.Cache {
		r.cache()
	}
	return r, nil
}

// claude reports whether the model is one of Anthropic's, whose own settings are known here.
func claude(call *llm.Call) bool {
	foundation := call.Target.Settings.GetString("foundationModel")
	return strings.Contains(call.Target.ModelID, "anthropic.") || strings.Contains(foundation, "anthropic.")
}

// cannot reports whether the settings of the model say that it is without an ability.
func cannot(call *llm.Call, ability string) bool {
	able := call.Target.Settings.Get(ability)
	return !able.IsNil() && !able.Truthy()
}

// minThinking is the least that the provider lets a model think, in tokens.
const minThinking = 1024

// sampling sets how the answer is found. A model of Anthropic that thinks takes no settings of sampling.
func (r *request) sampling(call *llm.Call, thinking bool) {
	r.inference = &types.InferenceConfiguration{StopSequences: call.Stop}
	if call.MaxTokens > 0 {
		most := int32(min(call.MaxTokens, math.MaxInt32))
		r.inference.MaxTokens = &most
	}
	more := value.NewBuilder(4)
	switch {
	case thinking:
		budget := call.Reasoning.MaxTokens
		if most := call.MaxTokens * 4 / 5; budget <= 0 || budget >= call.MaxTokens {
			budget = most
		}
		more.Set("thinking", value.Obj(value.M("type", value.Of("enabled")), value.M("budget_tokens", value.OfInt(max(budget, minThinking)))))
	default:
		r.inference.Temperature, r.inference.TopP = single(call.Temperature), single(call.TopP)
		if call.TopK != nil && claude(call) {
			more.Set("top_k", value.OfInt(*call.TopK))
		}
	}
	for _, m := range call.Extra.Members() {
		more.Set(m.Key, m.Value)
	}
	if v := more.Build(); v.Len() > 0 {
		r.extra = exactly(v)
	}
}

func single(f *float64) *float32 {
	if f == nil {
		return nil
	}
	short := float32(*f)
	return &short
}

// declare declares the tools. The provider refuses a history with tool calls when no tool is declared, so a call that may
// use none declares those of the history; it has no word for "none", and what a last answer asks for is not done.
func (r *request) declare(call *llm.Call, thinking bool) {
	specs := call.Tools
	if len(specs) == 0 {
		specs = usedTools(call.Messages)
	}
	if len(specs) == 0 {
		return
	}
	r.tools = &types.ToolConfiguration{}
	for _, t := range specs {
		parameters := t.Parameters
		if !parameters.IsObject() {
			parameters = anyObject()
		}
		spec := types.ToolSpecification{Name: &t.Name, InputSchema: &types.ToolInputSchemaMemberJson{Value: exactly(parameters)}}
		if t.Description != "" {
			spec.Description = &t.Description
		}
		r.tools.Tools = append(r.tools.Tools, &types.ToolMemberToolSpec{Value: spec})
	}
	switch {
	case len(call.Tools) == 0, call.ToolChoice == llm.Auto, call.ToolChoice == llm.NoTools, thinking: // a model that thinks cannot be forced
	case call.ToolChoice == llm.Required:
		r.tools.ToolChoice = &types.ToolChoiceMemberAny{}
	default:
		name := string(call.ToolChoice)
		r.tools.ToolChoice = &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: &name}}
	}
}

func anyObject() value.Value { return value.Obj(value.M("type", value.Of("object"))) }

// usedTools are the tools that were called in a conversation.
func usedTools(messages []llm.Message) []llm.ToolSpec {
	var specs []llm.ToolSpec
	for _, m := range messages {
		for _, c := range m.Content {
			t, ok := c.(llm.ToolCall)
			if ok && !slices.ContainsFunc(specs, func(s llm.ToolSpec) bool { return s.Name == t.Name }) {
				specs = append(specs, llm.ToolSpec{Name: t.Name})
			}
		}
	}
	return specs
}

// cache marks the ends of what will be sent again: the system prompt, the tools and the messages.
func (r *request) cache() {
	point := types.CachePointBlock{Type: types.CachePointTypeDefault}
	if r.system != nil {
		r.system = append(r.system, &types.SystemContentBlockMemberCachePoint{Value: point})
	}
	if r.tools != nil {
		r.tools.Tools = append(r.tools.Tools, &types.ToolMemberCachePoint{Value: point})
	}
	last := &r.messages[len(r.messages)-1]
	last.Content = append(last.Content, &types.ContentBlockMemberCachePoint{Value: point})
}

// literal is JSON that is sent as it is: in the order in which it was written, with the numbers as they were.
type literal struct {
	document.Interface // never asked: it is what makes this a document of the SDK
	text               []byte
}

func exactly(v value.Value) document.Interface { return literal{text: v.Append(nil)} }

// MarshalSmithyDocument returns the JSON.
func (l literal) MarshalSmithyDocument() ([]byte, error) { return l.text, nil }
