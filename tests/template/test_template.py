"""The template's own rules: what is asynchronous can fail safely, and nobody may do too much."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

import pytest

from benchmarks import scale
from dibs.aws.clients import PUBLISH_CONNECT_SECONDS, PUBLISH_SECONDS, PUBLISH_TRIES
from dibs.aws.settings import TABLES, Settings, logical_id
from dibs.cli.target import output_of
from dibs.core.rep import Platform
from support.tables import TEMPLATE, expanded, template

WHOLE = expanded()
RESOURCES: dict[str, dict[str, Any]] = WHOLE["Resources"]
POWERTOOLS = {f"POWERTOOLS_{name}" for name in ("SERVICE_NAME", "LOG_LEVEL")}
OPERATIONS = (TEMPLATE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
HANDLED = ("ingest", "claim", "rep", "manage", "activities", "boards", "game")


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in function["Policies"]:
        for statement in policy["Statement"]:
            yield statement.get("Fn::If", [None, statement])[1]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


FUNCTIONS = of_type("AWS::Serverless::Function")


def test_every_queue_but_a_dead_letter_queue_ends_in_one_after_five_tries() -> None:
    for name, queue in of_type("AWS::SQS::Queue").items():
        if not name.endswith("DeadLetters"):
            # Tries of notify follow each other within seconds, so it has more of them.
            tries = 10 if name == "NotifyQueue" else 5
            assert queue["RedrivePolicy"]["maxReceiveCount"] == tries, name


def test_every_dead_letter_queue_has_an_alarm_on_what_is_in_it() -> None:
    alarms = json.dumps(of_type("AWS::CloudWatch::Alarm"))
    dead = [name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")]
    assert len(dead) >= 6
    for name in dead:
        assert f'"{name}.QueueName"' in alarms or f'["{name}", "QueueName"]' in alarms, name
    assert "ApproximateNumberOfMessagesVisible" in alarms


def test_every_mapping_reports_its_failures_one_by_one() -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping")
    assert mappings
    for name, mapping in mappings.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_the_stream_cannot_be_blocked_by_a_poison_record() -> None:
    stream = of_type("AWS::Lambda::EventSourceMapping")["RelayFromStream"]
    assert stream["MaximumRetryAttempts"] > 0
    assert stream["MaximumRecordAgeInSeconds"] <= 3600
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["DestinationConfig"]["OnFailure"]


def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_run() -> None:
    queues = of_type("AWS::SQS::Queue")
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        name = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        queue = queues.get(name)
        if queue is not None and name != "NotifyQueue":
            function = FUNCTIONS[mapping["FunctionName"]["Ref"]]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_a_batch_of_notices_whose_run_died_is_begun_anew_within_seconds() -> None:
    queue, function = of_type("AWS::SQS::Queue")["NotifyQueue"], FUNCTIONS["NotifyFunction"]
    # Lambda takes no queue that hides a message for less than a run may last. What holds a batch
    # in the once table ends with its run as well.
    assert function["Timeout"] <= queue["VisibilityTimeout"] <= 15
    # One publish with all its tries ends within a run.
    assert function["Timeout"] > (PUBLISH_CONNECT_SECONDS + PUBLISH_SECONDS) * PUBLISH_TRIES
    # All tries together end while a lead of 15 minutes is open, and last through a short throttle.
    tries = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert 120 <= tries <= 300


def test_every_function_keeps_its_logs_for_a_stated_time() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in FUNCTIONS.items():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"], name


def test_no_function_logs_that_a_run_went_well() -> None:
    for name, function in FUNCTIONS.items():
        logging = function["LoggingConfig"]
        assert (logging["LogFormat"], logging["SystemLogLevel"]) == ("JSON", "WARN"), name


def test_every_log_group_is_the_one_lambda_would_make_for_its_function() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in FUNCTIONS.items():
        pattern, names = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]["LogGroupName"][
            "Fn::Sub"
        ]
        own = pattern.replace("${Name}", names["Name"])
        assert own == f"/aws/lambda/{function['FunctionName']['Fn::Sub']}", name


# Actions for which IAM knows no resource: what SNS keeps of phone numbers, once per account.
WITHOUT_RESOURCE = ("sns:ListPhoneNumbersOptedOut", "sns:OptInPhoneNumber")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_role_may_do_everything_to_something_or_something_to_everything(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        for action in listed(statement["Action"]):
            assert not action.endswith(":*"), action
            assert action != "*"
        for resource in listed(statement.get("Resource", [])):
            if resource == "*" and statement["Action"] not in WITHOUT_RESOURCE:
                # The one exception stands under a condition for the local stack alone.
                pytest.fail(f"{name} may {statement['Action']} everything")


def test_contact_details_are_read_by_ingest_and_for_their_holder_alone() -> None:
    readers = {
        name
        for name, function in FUNCTIONS.items()
        for statement in statements(function)
        if "ContactsTable" in json.dumps(statement)
    }
    assert readers == {"IngestFunction", "ClaimFunction", "RepFunction", "ReplyFunction"}


def test_who_may_write_credentials_and_who_may_read_them() -> None:
    """Who can write digests can be anybody; who writes the organisation only reads them."""
    may: dict[str, set[str]] = {}
    for name, function in FUNCTIONS.items():
        for statement in statements(function):
            if "CredentialsTable" in json.dumps(statement):
                may.setdefault(name, set()).update(listed(statement["Action"]))
    readers = {"ClaimFunction", "RepFunction", "ActivitiesFunction", "GameFunction"}
    assert set(may) == readers | {"ManageFunction", "BoardsFunction"}
    for name in readers:
        assert may[name] == {"dynamodb:BatchGetItem"}, name


def test_nothing_changes_or_deletes_an_entry_of_the_audit_trail() -> None:
    for name, function in FUNCTIONS.items():
        for statement in statements(function):
            if "AuditTable" in json.dumps(statement):
                assert set(listed(statement["Action"])) <= {"dynamodb:PutItem", "dynamodb:Query"}, (
                    name
                )


def test_the_claim_can_publish_nothing() -> None:
    assert "sns:" not in json.dumps(list(statements(FUNCTIONS["ClaimFunction"])))


def test_every_route_is_handled_and_everything_handled_has_a_route() -> None:
    routed = {route["RouteKey"] for route in of_type("AWS::ApiGatewayV2::Route").values()}
    handled: set[str] = set()
    for name in HANDLED:
        module = importlib.import_module(f"{name}.handler")
        handled |= set(module.ROUTES)
    assert routed == handled


@pytest.mark.parametrize("name", HANDLED)
def test_every_route_leads_to_the_function_that_handles_it(name: str) -> None:
    integration = {"Integration": {"Ref": f"{name.capitalize()}Integration"}}
    led = {
        route["RouteKey"]
        for route in of_type("AWS::ApiGatewayV2::Route").values()
        if route["Target"]["Fn::Sub"] == ["integrations/${Integration}", integration]
    }
    assert led == set(importlib.import_module(f"{name}.handler").ROUTES)


@pytest.mark.parametrize("function", WHOLE["Mappings"]["Routes"])
def test_every_route_written_down_is_in_the_list_the_loop_runs_over(function: str) -> None:
    routes = WHOLE["Mappings"]["Routes"][function]
    assert routes["Names"] == [name for name in routes if name != "Names"]


def test_the_access_log_names_the_route_and_neither_path_nor_caller() -> None:
    stage = of_type("AWS::ApiGatewayV2::Stage")["ApiStage"]
    log = stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in log
    assert not re.search(r"\$context\.(path|identity|requestOverride)", log)


def test_every_function_of_the_folder_is_deployed_and_the_other_way_round() -> None:
    folders = {path.parent.name for path in TEMPLATE.parent.glob("functions/*/handler.py")}
    deployed = {function["Handler"].split(".")[0] for function in FUNCTIONS.values()}
    assert deployed == folders


def test_every_function_nobody_waits_for_has_an_alarm_on_its_errors() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/Lambda", "Errors")
    }
    for name, function in FUNCTIONS.items():
        # What the others do not answer, the API's own errors tell; the claim is on the clock.
        answers = function["Handler"].split(".")[0] in HANDLED
        assert (name in watched) is (not answers or name == "ClaimFunction"), name


def test_no_alarm_looks_at_more_metrics_than_cloudwatch_takes() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert len([one for one in alarm.get("Metrics", []) if "MetricStat" in one]) <= 10, name


def test_the_tables_are_those_of_the_settings() -> None:
    ids = {logical_id(field) for field in TABLES}
    assert set(of_type("AWS::DynamoDB::Table")) == ids
    for field in TABLES:
        here = {"Ref": logical_id(field)}
        assert WHOLE["Outputs"][logical_id(field)]["Value"] == here
        for name, function in FUNCTIONS.items():
            assert function["Environment"]["Variables"][field.upper()] == here, name


@pytest.mark.parametrize("platform", Platform)
def test_a_push_platform_is_a_parameter_that_three_functions_get_their_rights_by(
    platform: Platform,
) -> None:
    parameter = logical_id(f"{platform}_application_arn")
    assert WHOLE["Parameters"][parameter]["Default"] == ""
    assert parameter in json.dumps(WHOLE["Conditions"][f"Has{platform.capitalize()}"])
    users = {
        name
        for name, function in FUNCTIONS.items()
        for statement in statements(function)
        if parameter in json.dumps(statement)
    }
    assert users == {"NotifyFunction", "RepFunction", "UndeliveredFunction"}


def test_every_job_has_a_schedule_an_event_and_a_line_in_the_operators_page() -> None:
    schedules = FUNCTIONS["RecalculateFunction"]["Events"].values()
    sent = [json.loads(schedule["Properties"]["Input"]) for schedule in schedules]
    jobs = importlib.import_module("recalculate.handler").JOBS
    assert sorted(one["job"] for one in sent) == sorted(jobs)
    for one in sent:
        event = TEMPLATE.parent / "events" / f"schedule_{one['job']}.json"
        assert json.loads(event.read_text(encoding="utf-8")) == one
        assert f"| `{one['job']}` |" in OPERATIONS


def alarm_text(alarm: dict[str, Any]) -> str:
    """What an alarm tells whoever it wakes."""
    said = alarm["AlarmDescription"]["Fn::Sub"]
    if isinstance(said, list):
        said = said[0].replace("${Text}", said[1]["Text"])
    return str(said)


def test_every_alarm_says_what_the_operators_page_says_and_names_it() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| (.+) \|$", OPERATIONS, flags=re.MULTILINE)
    told = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        text, _, runbook = alarm_text(alarm).partition(" Runbook: ")
        assert told[name.removesuffix("Alarm")] == text, name
        assert runbook == "${RunbookUrl}", name


def test_every_alarm_tells_somebody_when_it_rings_and_when_it_is_over() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name


def test_a_sweep_that_stands_still_is_an_alarm() -> None:
    alarm = of_type("AWS::CloudWatch::Alarm")["SweepAlarm"]
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("Swept", "breaching")
    assert alarm["ComparisonOperator"] == "LessThanThreshold"


def watched(metric: str) -> set[str]:
    """What the alarms on a metric look at."""
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    text = json.dumps([alarm for alarm in alarms if f'"{metric}"' in json.dumps(alarm)])
    return set(re.findall(r'"(\w+(?:Function|Table|Queue))"', text))


def test_every_queue_stream_function_and_table_is_watched_for_falling_behind() -> None:
    queues = {name for name in of_type("AWS::SQS::Queue") if not name.endswith("DeadLetters")}
    assert watched("ApproximateAgeOfOldestMessage") == queues
    assert watched("IteratorAge") == {"RelayFunction", "ScoreFunction"}
    assert watched("Throttles") == set(FUNCTIONS)
    tables = set(of_type("AWS::DynamoDB::Table"))
    assert watched("ReadThrottleEvents") == watched("WriteThrottleEvents") == tables


def test_the_dashboard_is_json_and_shows_what_exists() -> None:
    [board] = of_type("AWS::CloudWatch::Dashboard").values()
    body = board["DashboardBody"]["Fn::Sub"]
    assert json.loads(body)["widgets"]
    for name in re.findall(r"\$\{(\w+)", body):
        assert name in RESOURCES or name == "AWS", name


def test_prod_is_not_deployed_without_somebody_to_tell() -> None:
    rule = WHOLE["Rules"]["ProductionTellsSomebody"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]
    }


def test_what_is_lost_with_a_table_key_or_secret_is_kept_when_the_stack_goes() -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret")
    for name, resource in RESOURCES.items():
        if resource["Type"] in kept and name != "OnceTable":
            policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            assert policies == ("Retain", "Retain"), name


def test_every_table_but_that_of_handled_messages_can_be_restored_to_a_moment() -> None:
    for name, table in of_type("AWS::DynamoDB::Table").items():
        restored = table.get("PointInTimeRecoverySpecification", {})
        assert restored.get("PointInTimeRecoveryEnabled", False) is (name != "OnceTable"), name


def test_every_topic_is_encrypted_under_our_key_and_says_who_may_publish() -> None:
    policies = of_type("AWS::SNS::TopicPolicy").values()
    with_policy = {topic["Ref"] for policy in policies for topic in policy["Topics"]}
    topics = of_type("AWS::SNS::Topic")
    assert with_policy == set(topics)
    for name, topic in topics.items():
        assert "DataKey" in json.dumps(topic["KmsMasterKeyId"]), name
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Principal"] not in ("*", {"AWS": "*"})


def test_personal_data_is_encrypted_under_our_key() -> None:
    tables = of_type("AWS::DynamoDB::Table")
    for name in ("ContactsTable", "OrganisationTable", "IdentitiesTable", "CredentialsTable"):
        assert "DataKey" in json.dumps(tables[name]["SSESpecification"]), name


def test_who_asks_without_a_token_has_a_limit_of_their_own() -> None:
    stage = of_type("AWS::ApiGatewayV2::Stage")["ApiStage"]
    routes = {
        route["RouteKey"]: name for name, route in of_type("AWS::ApiGatewayV2::Route").items()
    }
    limits = stage["RouteSettings"]
    assert {"POST /sign-in", "POST /leads", "POST /leads/{lead_id}/claim"} <= set(limits)
    assert limits["POST /sign-in"]["ThrottlingRateLimit"] <= 5
    # A limit on a route that is not made yet fails the deployment.
    assert {routes[key] for key in limits} == set(RESOURCES["ApiStage"]["DependsOn"])


def test_the_apis_limits_follow_from_the_peak_of_leads() -> None:
    """What they let through is enough for the leads that the parameter promises."""
    throttles, parameter = WHOLE["Mappings"]["Throttles"], WHOLE["Parameters"]["PeakLeadsPerSecond"]
    assert list(throttles) == parameter["AllowedValues"]
    for peak, limits in throttles.items():
        leads = int(peak)
        assert limits["Calls"] >= leads * scale.CALLS_WITHOUT_OWN_LIMIT * 1.2
        assert limits["Claims"] >= leads * scale.TOLD
        assert limits["Posts"] == leads * 10
        assert limits["Calls"] <= scale.API_RATE  # of the account, which all routes share
        for limit in ("Calls", "Claims", "Posts"):
            assert limits[f"{limit}AtOnce"] == min(2 * limits[limit], scale.API_BURST)
    stage = template()["Resources"]["ApiStage"]["Properties"]  # cfn-lint chooses a peak itself
    routes = {
        "Calls": stage["DefaultRouteSettings"],
        "Claims": stage["RouteSettings"]["POST /c/{token}/claim"],
        "Posts": stage["RouteSettings"]["POST /leads"],
    }
    for limit, settings in routes.items():
        for name, key in (("Rate", limit), ("Burst", f"{limit}AtOnce")):
            found = {"Fn::FindInMap": ["Throttles", {"Ref": "PeakLeadsPerSecond"}, key]}
            assert settings[f"Throttling{name}Limit"] == found
    settings = stage["RouteSettings"]
    assert settings["POST /leads/{lead_id}/claim"] == settings["POST /c/{token}/claim"]


def test_a_share_of_the_accounts_runs_is_kept_only_if_asked_for() -> None:
    for name in ("Claim", "Ingest"):
        share = FUNCTIONS[f"{name}Function"]["ReservedConcurrentExecutions"]["Fn::If"]
        assert share[0] == f"Has{name}Concurrency"
        assert share[2] == {"Ref": "AWS::NoValue"}
        assert WHOLE["Parameters"][f"{name}Concurrency"]["Default"] == 0


@pytest.mark.parametrize("field", TABLES)
def test_the_page_of_access_patterns_names_who_may_write_to_a_table_and_nobody_else(
    field: str,
) -> None:
    page = (TEMPLATE.parent / "docs" / "access-patterns.md").read_text(encoding="utf-8")
    section = page.split(f"### {field.removesuffix('_table')}\n")[1].split("\n#")[0]
    columns = "\n".join(line.split("|")[3] for line in section.splitlines() if "|" in line)
    writers = {
        function["Handler"].split(".")[0]
        for function in FUNCTIONS.values()
        for statement in statements(function)
        if re.search(r'"dynamodb:(Put|Update|Delete|BatchWrite)', json.dumps(statement["Action"]))
        and f'"{logical_id(field)}"' in json.dumps(statement["Resource"]).replace(".", '"')
    }
    everybody = {function["Handler"].split(".")[0] for function in FUNCTIONS.values()}
    assert {name for name in everybody if re.search(rf"\b{name}\b", columns)} == writers


def test_every_setting_is_given_to_a_function_and_nothing_else_is() -> None:
    given = {name for one in FUNCTIONS.values() for name in one["Environment"]["Variables"]}
    settings = {field.name.upper() for field in fields(Settings)}
    assert given - settings == POWERTOOLS | {"STAGE"}
    assert settings <= given


def test_every_setting_the_commands_need_is_an_output() -> None:
    for field in fields(Settings):
        if field.default is MISSING:
            assert output_of(field.name) in WHOLE["Outputs"], field.name


def test_no_secret_stands_in_the_template() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"whsec_|AKIA[0-9A-Z]{12}|BEGIN [A-Z ]*PRIVATE KEY", text)
