package web

import (
	"context"
	"encoding/base64"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/value"
)

// taskInput is an input of a task and the member that it becomes.
type taskInput struct {
	name, member string
	file         bool
}

// hubTask is how the inputs of a task are sent: the bytes of a file alone, one value, or an object.
type hubTask struct {
	raw, single bool
	inputs      []taskInput
}

// taskOf returns how a task is asked, see https://huggingface.co/docs/inference-providers/tasks/index.
func taskOf(name string) (hubTask, bool) {
	switch name {
	case "text-classification", "token-classification", "zero-shot-classification", "translation", "summarization", "text-generation",
		"text2text-generation", "fill-mask", "feature-extraction", "text-to-image", "text-to-speech":
		return hubTask{single: true, inputs: []taskInput{{name: "Text"}}}, true
	case "image-to-text", "image-classification", "object-detection", "image-segmentation":
		return hubTask{raw: true, inputs: []taskInput{{name: "Image", file: true}}}, true
	case "automatic-speech-recognition", "audio-to-audio", "audio-classification":
		return hubTask{raw: true, inputs: []taskInput{{name: "Audio", file: true}}}, true
	case "image-to-image":
		return hubTask{single: true, inputs: []taskInput{{name: "Image", file: true}}}, true
	case "zero-shot-image-classification":
		return hubTask{inputs: []taskInput{{"Image", "image", true}}}, true
	case "document-question-answering", "visual-question-answering":
		return hubTask{inputs: []taskInput{{"Image", "image", true}, {name: "Question", member: "question"}}}, true
	case "question-answering":
		return hubTask{inputs: []taskInput{{name: "Question", member: "question"}, {name: "Context", member: "context"}}}, true
	case "table-question-answering":
		return hubTask{inputs: []taskInput{{name: "Query", member: "query"}, {name: "Table", member: "table"}}}, true
	case "sentence-similarity":
		return hubTask{inputs: []taskInput{{name: "Source_sentence", member: "source_sentence"}, {name: "Sentences", member: "sentences"}}}, true
	case "conversational":
		return hubTask{inputs: []taskInput{
			{name: "Text", member: "text"}, {name: "Generated_responses", member: "generated_responses"}, {name: "Past_user_inputs", member: "past_user_inputs"},
		}}, true
	}
	return hubTask{}, false
}

// taskInputs reads the inputs of a task: bytes, or a value.
func taskInputs(ctx context.Context, t *texts, name string) (v value.Value, raw []byte, err error) {
	task, known := taskOf(name)
	if !known {
		return value.Value{}, nil, unknownTask(name)
	}
	b := value.NewBuilder(len(task.inputs))
	for _, in := range task.inputs {
		given := t.in.Get(in.name)
		if given.IsNil() || given.Text() == "" && !given.IsObject() && !given.IsArray() {
			if len(task.inputs) > 1 && name == "conversational" && in.name != "Text" {
				continue // the beginning of a conversation
			}
			return value.Value{}, nil, fault.Newf(fault.Invalid, "the task %s needs the input %s", name, in.name)
		}
		if in.file {
			files, err := binary.From(ctx, t.call, given, in.name)
			if err != nil {
				return value.Value{}, nil, err
			}
			if len(files) == 0 {
				return value.Value{}, nil, fault.Newf(fault.Invalid, "the input %s holds no file", in.name)
			}
			if task.raw {
				return value.Value{}, files[0].Data, nil
			}
			given = value.Of(base64.StdEncoding.EncodeToString(files[0].Data))
		} else if text, ok := given.Str(); ok && (in.name == "Table" || in.name == "Sentences" || in.name == "Generated_responses" || in.name == "Past_user_inputs") {
			if parsed, err := value.Parse(text); err == nil {
				given = parsed
			}
		}
		if task.single {
			return given, nil, nil
		}
		b.Set(in.member, given)
	}
	return b.Build(), nil, nil
}
