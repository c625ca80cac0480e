package com.matillion.agent;

import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Log with fields: key=value behind the text, or members of the JSON line. */
final class Say {
    private final Truth truth;
    private final boolean json;
    private final String eventKey;

    Say(Truth truth, String encoding) {
        this.truth = truth;
        this.json = encoding.matches("logstash|ecs");
        this.eventKey = encoding.equals("ecs") ? "event.action" : "event";
    }

    void info(Logger logger, String text, Object... fields) {
        event(logger, Level.INFO, null, text, null, null, fields);
    }

    /**
     * @param event the word of the event, or null
     * @param stated an error_type that the line names, or null
     * @param thrown an exception, or null
     */
    void event(Logger logger, Level level, String event, String text, String stated, Throwable thrown,
            Object... fields) {
        String type = errorType(level, event, stated, thrown);
        LoggingEventBuilder line = logger.atLevel(level);
        StringBuilder message = new StringBuilder(event == null || json ? text : event);
        if (json && event != null) {
            line = line.addKeyValue(eventKey, event);
        }
        for (int i = 0; i < fields.length; i += 2) {
            line = field(line, message, (String) fields[i], fields[i + 1]);
        }
        if (stated != null) {
            line = field(line, message, "error_type", stated);
        }
        if (thrown != null) {
            line = line.setCause(thrown);
        }
        Output.ERROR_TYPE.set(type);
        line.log(message.toString());
        Output.ERROR_TYPE.remove();
    }

    private LoggingEventBuilder field(LoggingEventBuilder line, StringBuilder message, String key, Object value) {
        if (json) {
            return line.addKeyValue(key, value);
        }
        String text = value.toString();
        if (text.matches("[\\w.:/+-]+")) {
            message.append(' ').append(key).append('=').append(text);
        } else {
            message.append(' ').append(key).append("=\"").append(text.replace("\"", "\\\"")).append('"');
        }
        return line;
    }

    /** Count the record's error type, by the rules of agents' logs. */
    private String errorType(Level level, String event, String stated, Throwable thrown) {
        if (level != Level.ERROR && !"TASK_FAILED".equals(event)) {
            return null;
        }
        String type = stated != null ? stated : thrown != null ? thrown.getClass().getName() : "UNKNOWN";
        truth.add("error_types", type);
        if (level == Level.ERROR) {
            truth.add("errors", type);
            truth.add("error_records", 1);
        }
        if (thrown != null && thrown.getCause() != null) {
            Throwable root = thrown;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            truth.add("root_errors", root.getClass().getName());
        }
        return type;
    }
}
